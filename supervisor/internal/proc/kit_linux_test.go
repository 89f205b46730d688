package proc

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long an outside process may take before a test fails.
const patience = 20 * time.Second

func newSpawner(t testing.TB) *Spawner {
	t.Helper()
	s := NewSpawner()
	t.Cleanup(s.Close)
	return s
}

// part is a Command that makes this test binary play a part. The race detector
// would have it sleep for a second before it exits.
func part(name string, args ...string) Command {
	env := []string{helperVar + "=" + name, "GORACE=atexit_sleep_ms=0"}
	return Command{Path: "/proc/self/exe", Args: args, Env: env}
}

func launch(t testing.TB, s *Spawner, c Command) *Process {
	t.Helper()
	p, err := s.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// launchReading also returns what the process prints.
func launchReading(t testing.TB, s *Spawner, c Command) (*Process, *bufio.Reader) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	c.Stdout = w
	p := launch(t, s, c)
	_ = w.Close()
	_ = r.SetReadDeadline(time.Now().Add(patience))
	return p, bufio.NewReader(r)
}

func line(t testing.TB, r *bufio.Reader) string {
	t.Helper()
	s, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("read %q, then: %v", s, err)
	}
	return strings.TrimSpace(s)
}

// pids reads a line of process numbers.
func pids(t testing.TB, r *bufio.Reader) []int {
	t.Helper()
	text := line(t, r)
	var found []int
	for _, word := range strings.Fields(text) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatalf("the helper printed %q instead of pids", text)
		}
		found = append(found, pid)
	}
	if len(found) == 0 {
		t.Fatalf("the helper printed %q instead of pids", text)
	}
	return found
}

func await(t testing.TB, p *Process) Exit {
	t.Helper()
	select {
	case <-p.Done():
		return p.Exit()
	case <-time.After(patience):
		t.Fatalf("pid %d has not ended", p.PID())
		return Exit{}
	}
}

// watchDeath returns a function that waits for any process to end. Call it while
// the process is certainly alive.
func watchDeath(t testing.TB, pid int) (wait func()) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatalf("pid %d is gone already: %v", pid, err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return func() {
		t.Helper()
		var n int
		err := ignoringEINTR(func() (err error) {
			n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience/time.Millisecond))
			return err
		})
		if err != nil || n == 0 {
			t.Fatalf("pid %d lives on (%v)", pid, err)
		}
	}
}

func entries(t testing.TB, dir string) int {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
