package scoreboard_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/brood-run/brood/ipc/scoreboard"
)

const helperTasks = 3000

// helper is a worker: it prints lines of many lengths on fd 1 and notes on fd 2
// where each ended.
func helper(what string) int {
	b, err := scoreboard.Open(os.NewFile(3, "page"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if what == "die" {
		b.Begin(41, 0, 0, 0)
		b.Begin(42, 7, 8, 9)
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	var ends bytes.Buffer
	for n := range uint64(helperTasks) {
		fmt.Print(line(n))
		end, ok := b.Written(scoreboard.Stdout, 1)
		fmt.Fprintln(&ends, end, ok)
	}
	os.Stderr.Write(ends.Bytes())
	return 0
}

func line(n uint64) string { return fmt.Sprintf("%d %s\n", n, strings.Repeat("x", int(n%700))) }

// worker prepares this binary as a worker with the page as its fd 3.
func worker(what string, page *os.File) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envHelper+"="+what)
	cmd.ExtraFiles = []*os.File{page}
	return cmd
}

// TestPositionsWhileSomebodyReads lets a worker print while its supervisor reads, in
// pieces that do not match: every position must be exact all the same.
func TestPositionsWhileSomebodyReads(t *testing.T) {
	b, page := create(t)
	cmd := worker("print", page)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var ends bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &ends
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	got := readAll(t, b, r)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, ends.String())
	}
	var want strings.Builder
	var wantEnds strings.Builder
	for n := range uint64(helperTasks) {
		want.WriteString(line(n))
		fmt.Fprintln(&wantEnds, want.Len(), true)
	}
	if got != want.String() {
		t.Errorf("read %d bytes, want %d", len(got), want.Len())
	}
	if ends.String() != wantEnds.String() {
		t.Error("positions are not exact")
	}
}

func readAll(t *testing.T, b *scoreboard.Board, r *os.File) string {
	t.Helper()
	raw, err := r.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	buf := make([]byte, 1000)
	for n := 1; n > 0; all = append(all, buf[:max(n, 0)]...) {
		err := raw.Read(func(fd uintptr) bool {
			b.BeginRead(scoreboard.Stdout)
			var err error
			n, err = syscall.Read(int(fd), buf)
			b.EndRead(scoreboard.Stdout, n)
			return err != syscall.EAGAIN
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return string(all)
}

// TestBoardOutlivesItsWorker kills the worker and asks what it was doing.
func TestBoardOutlivesItsWorker(t *testing.T) {
	b, page := create(t)
	cmd := worker("die", page)
	if err := cmd.Run(); err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the worker ended with %v", err)
	}
	seq, stdout, stderr, cpu, ok := b.Current()
	if !ok || seq != 42 || stdout != 7 || stderr != 8 || cpu != 9 || b.Started() != 42 {
		t.Errorf("the board says %d, %d, %d, %d, %v", seq, stdout, stderr, cpu, ok)
	}
}
