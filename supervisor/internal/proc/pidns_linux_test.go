package proc

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// namespaced is a part in a PID namespace of its own, or skips the test.
func namespaced(t testing.TB, s *Spawner, name string, args ...string) Command {
	t.Helper()
	if err := s.PIDNamespaces(t.Context()); err != nil {
		t.Skip(err)
	}
	c := part(name, args...)
	c.PIDNamespace = true
	return c
}

// marked adds something to the environment by which a process and its descendants can be
// found from outside their namespace.
func marked(c *Command) (mark string) {
	mark = "PROC_MARK=" + rand.Text()
	c.Env = append(c.Env, mark)
	return mark
}

func findMarked(t testing.TB, mark string) []int {
	t.Helper()
	var found []int
	for _, pid := range numbers("/proc") {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err == nil && bytes.Contains(env, []byte(mark)) {
			found = append(found, pid)
		}
	}
	return found
}

// crowd leaves one process in the group and one outside, and stays.
func crowd() {
	startOther(&syscall.SysProcAttr{}, []string{"sleep"})
	startOther(&syscall.SysProcAttr{Setsid: true}, []string{"sleep"})
	forever()
}

// superviseNamespace starts a crowd in a namespace and is then killed by the test.
func superviseNamespace() {
	s := NewSpawner()
	c := part("crowd")
	c.PIDNamespace, c.Stdout = true, os.Stdout
	c.Env = append(c.Env, "PROC_MARK="+os.Getenv("PROC_MARK"))
	if _, err := s.Start(context.Background(), c); err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
	forever()
}

func TestNamespaceEndsWithItsProcess(t *testing.T) {
	for _, end := range []struct {
		name string
		of   func(p *Process)
	}{
		{"killed", func(p *Process) { _ = p.Kill() }},
		{"killed by somebody else", func(p *Process) { _ = syscall.Kill(p.PID(), syscall.SIGKILL) }},
	} {
		t.Run(end.name, func(t *testing.T) {
			s := newSpawner(t)
			c := namespaced(t, s, "crowd")
			mark := marked(&c)
			p, out := launchReading(t, s, c)
			line(t, out)
			line(t, out)
			if n := len(findMarked(t, mark)); n != 3 {
				t.Errorf("%d processes are running, want 3", n)
			}
			end.of(p)
			if e := await(t, p); e.Signal != "SIGKILL" {
				t.Errorf("got %v", e)
			}
			if left := findMarked(t, mark); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if len(s.live) != 0 {
				t.Errorf("%d processes are still on the books", len(s.live))
			}
		})
	}
}

// Whatever the supervisor could still have done.
func TestNamespaceDiesWithASupervisorThatIsKilled(t *testing.T) {
	c := namespaced(t, newSpawner(t), "namespaced")
	mark := marked(&c)
	supervisor := exec.Command("/proc/self/exe")
	supervisor.Env = c.Env
	out, err := supervisor.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	pids(t, lines)
	pids(t, lines)
	var dead []func()
	for _, pid := range findMarked(t, mark) {
		dead = append(dead, watchDeath(t, pid))
	}
	if len(dead) != 4 {
		t.Errorf("%d processes are running, want 4", len(dead))
	}
	_ = supervisor.Process.Kill() // it lives
	_ = supervisor.Wait()         // it was killed
	for _, wait := range dead {
		wait()
	}
}

// startForever starts namespaced processes, many at a time, and is killed by the test.
func startForever() {
	s := NewSpawner()
	fmt.Println("ready")
	for range 32 {
		go func() {
			for {
				c := Command{Path: "/bin/true", Env: []string{TreeVar + "=" + os.Getenv(TreeVar)}, PIDNamespace: true}
				p, err := s.Start(context.Background(), c)
				if err != nil {
					fmt.Println(err)
					os.Exit(99)
				}
				<-p.Done()
			}
		}()
	}
	forever()
}

// Whenever the supervisor is killed: an init that is just being made does not learn of it by a signal.
func TestNoInitSurvivesASupervisorThatIsKilled(t *testing.T) {
	c := namespaced(t, newSpawner(t), "starter")
	tree := TreeVar + "=" + rand.Text()
	for n := range 60 {
		supervisor := exec.Command("/proc/self/exe")
		supervisor.Env = append(c.Env, tree)
		out, err := supervisor.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := supervisor.Start(); err != nil {
			t.Fatal(err)
		}
		line(t, bufio.NewReader(out))
		moment := time.NewTimer(time.Duration(n) * 300 * time.Microsecond) // a different one each time
		<-moment.C
		_ = supervisor.Process.Kill() // it lives
		_ = supervisor.Wait()         // it was killed
	}
	for deadline := time.Now().Add(patience); len(findMarked(t, tree)) > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %v", findMarked(t, tree))
		}
	}
}

// A process beside its init is an ordinary one: signals it sends itself work, and how it
// ended is known.
func TestNamespacedProcessIsAnOrdinaryOne(t *testing.T) {
	if !Privileged() {
		t.Skip("without CAP_SYS_ADMIN a process is the first of its namespace")
	}
	s := newSpawner(t)
	if e := await(t, launch(t, s, namespaced(t, s, "suicide"))); e.Signal != "SIGKILL" {
		t.Errorf("got %v", e)
	}
	if e := await(t, launch(t, s, namespaced(t, s, "exit", "7"))); e.Code != 7 {
		t.Errorf("got %v", e)
	}
}

// Init reaps for them.
func TestNoZombiesInANamespace(t *testing.T) {
	if !Privileged() {
		t.Skip("without CAP_SYS_ADMIN a process is the first of its namespace")
	}
	s := newSpawner(t)
	c := namespaced(t, s, "")
	// cat ends when the orphan does.
	c.Path, c.Args = "/bin/sh", []string{"-c", `(sh -c 'exit 3' &) | cat; echo done; exec sleep 1000`}
	p, out := launchReading(t, s, c)
	line(t, out)
	for deadline := time.Now().Add(patience); len(orphans(p.first.pid)) > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("children of init: %v", orphans(p.first.pid))
		}
	}
}

// orphans are the children of a namespace's init.
func orphans(init int) []int {
	var found []int
	for _, pid := range numbers("/proc") {
		if s, err := readStat("/proc", pid); err == nil && s.ppid == init {
			found = append(found, pid)
		}
	}
	return found
}

// Scripts put process ids into names of temporary files.
func TestNamespacesDoNotCountAlike(t *testing.T) {
	if !Privileged() {
		t.Skip("without CAP_SYS_ADMIN a process is the first of its namespace")
	}
	s := newSpawner(t)
	seen := map[int]bool{}
	for range 5 {
		c := namespaced(t, s, "")
		c.Path, c.Args = "/bin/sh", []string{"-c", "echo $$"}
		p, out := launchReading(t, s, c)
		pid, err := strconv.Atoi(line(t, out))
		if err != nil || pid < lowestPID {
			t.Errorf("a process has number %d, %v", pid, err)
		}
		seen[pid] = true
		await(t, p)
	}
	if len(seen) < 3 { // two of five may be alike by chance
		t.Errorf("numbers of first processes: %v", seen)
	}
}

// The thread that forks is back where it was.
func TestNamespacesAreNotInherited(t *testing.T) {
	s := newSpawner(t)
	p := launch(t, s, namespaced(t, s, "sleep"))
	_, out := launchReading(t, s, Command{Path: "/bin/sh", Args: []string{"-c", "readlink /proc/self/ns/pid"}})
	own, err := os.Readlink("/proc/self/ns/pid")
	if got := line(t, out); err != nil || got != own {
		t.Errorf("the next process is in %s, we are in %s, %v", got, own, err)
	}
	other, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", p.PID()))
	if err != nil || other == own {
		t.Errorf("the process is in %s, %v", other, err)
	}
}

func TestNamespacesLeaveNoDescriptors(t *testing.T) {
	s := newSpawner(t)
	c := namespaced(t, s, "exit", "0")
	await(t, launch(t, s, c)) // opens what stays open
	before := entries(t, "/proc/self/fd")
	for range 50 {
		await(t, launch(t, s, c))
	}
	if after := entries(t, "/proc/self/fd"); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestProcessThatCannotStartLeavesNoNamespace(t *testing.T) {
	s := newSpawner(t)
	c := namespaced(t, s, "")
	c.Path = "/nowhere"
	if _, err := s.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
	s.Close()
	if len(s.live) != 0 {
		t.Errorf("%d processes are still on the books", len(s.live))
	}
}
