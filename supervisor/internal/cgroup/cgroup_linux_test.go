package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// some are limits that need every controller and are in nobody's way.
var some = Limits{Memory: 1 << 30, Pids: 1000, CPU: 1}

func TestBornInside(t *testing.T) {
	inEachLayout(t, func(t *testing.T, p *Parent) {
		limits := some
		if p.Supports(some) != nil {
			limits = Limits{}
		}
		c := p.make(t, limits)
		child := start(t, c, "sleep")
		saysPID(t, child.out, "ready")
		papers, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", child.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		tail := "/" + filepath.Base(p.branches[0].dir) + "/" + filepath.Base(c.parts[0].dir) + "\n"
		if n := strings.Count(string(papers), tail); n != len(c.parts) {
			t.Errorf("it is in %d of %d cgroups:\n%s", n, len(c.parts), papers)
		}
		own, err := os.ReadFile("/proc/self/cgroup")
		if err != nil || strings.Contains(string(own), tail) {
			t.Errorf("we are inside ourselves: %s, %v", own, err)
		}
	})
}

// The thread that forks must not be left where it will be killed.
func TestThreadLeaves(t *testing.T) {
	c := openAll(t).make(t, some)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, err := c.Enter(); err != nil {
		t.Fatal(err)
	}
	if err := c.Leave(); err != nil {
		t.Fatal(err)
	}
	for _, part := range c.parts {
		for _, file := range []string{"cgroup.procs", "tasks"} {
			if in := words(part.dir, file); len(in) > 0 {
				t.Errorf("%s holds %v", part.dir, in)
			}
		}
	}
}

// What left its session dies with the rest, and Close waits for it.
func TestCloseKillsTheWholeTree(t *testing.T) {
	inEachLayout(t, func(t *testing.T, p *Parent) {
		c := p.make(t, Limits{})
		child := start(t, c, "daemon")
		grandchild := saysPID(t, child.out, "ready")
		dead := watchDeath(t, grandchild)
		left, err := c.Close()
		if left != 2 || err != nil {
			t.Errorf("killed %d, %v", left, err)
		}
		dead()
		for _, part := range c.parts {
			if _, err := os.Stat(part.dir); !os.IsNotExist(err) {
				t.Errorf("%s is left: %v", part.dir, err)
			}
		}
		if !c.Held(child.Process.Pid) {
			t.Error("the dead child, not reaped yet, is not known to have been inside")
		}
		if c.Held(os.Getpid()) {
			t.Error("this process is said to have been inside")
		}
		if left, err := c.Close(); left != 0 || err != nil {
			t.Errorf("the second time it killed %d, %v", left, err)
		}
	})
}

func TestForkBombIsLimitedAndDies(t *testing.T) {
	inEachLayout(t, func(t *testing.T, p *Parent) {
		const most = 60
		c := p.make(t, Limits{Pids: most})
		child := start(t, c, "bomb")
		says(t, child.out, "limited")
		if n := len(members(c.parts[0].dir)); n > most {
			t.Errorf("there are %d processes", n)
		}
		if _, err := c.Close(); err != nil {
			t.Error(err)
		}
		for _, part := range c.parts {
			if _, err := os.Stat(part.dir); !os.IsNotExist(err) {
				t.Errorf("%s is left", part.dir)
			}
		}
	})
}

func TestEmptyCgroupIsClosedWithoutAKill(t *testing.T) {
	p := openAll(t)
	c := p.make(t, some)
	if err := os.Mkdir(filepath.Join(c.parts[0].dir, "nested"), 0o755); err != nil {
		t.Fatal(err)
	}
	if left, err := c.Close(); left != 0 || err != nil {
		t.Errorf("killed %d, %v", left, err)
	}
	if _, err := os.Stat(c.parts[0].dir); !os.IsNotExist(err) {
		t.Errorf("a cgroup that a worker had made keeps its own from being removed: %v", err)
	}
}

func TestKernelKeepsTheMemoryLimit(t *testing.T) {
	inEachLayout(t, func(t *testing.T, p *Parent) {
		const limit = 64 << 20
		c := p.make(t, Limits{Memory: limit})
		child := start(t, c, "eat")
		err := child.Wait()
		if err == nil || !strings.Contains(err.Error(), "killed") {
			t.Errorf("it ended with %v", err)
		}
		n := c.OOMKills() // v2, ending the whole group, may count its first victim twice
		if n < 1 || n > 2 {
			t.Errorf("counted %d before the end", n)
		}
		if left, err := c.Close(); left != 0 || err != nil {
			t.Errorf("%d left, %v", left, err)
		}
		e := c.Events()
		if e.OOMKills != n || !e.AtLimit || e.Peak > limit || e.Peak < limit/2 {
			t.Errorf("got %+v", e)
		}
	})
}

func TestProcessorsAreLimited(t *testing.T) {
	inEachLayout(t, func(t *testing.T, p *Parent) {
		c := p.make(t, Limits{CPU: 0.1})
		child := start(t, c, "spin")
		says(t, child.out, "ready")
		throttled := func() bool {
			data, err := read(c.part(cpu).dir, "cpu.stat")
			if err != nil {
				t.Fatal(err)
			}
			return field(data, "nr_throttled") > 2
		}
		eventually(t, throttled)
		if c.parts[0].v2 && c.CPU() == 0 {
			t.Error("no time was counted")
		}
	})
}

func TestMemoryOfTheTree(t *testing.T) {
	c := openAll(t).make(t, Limits{Memory: 1 << 30})
	before, ok := c.Memory()
	if !ok || before > 1<<20 {
		t.Fatalf("an empty cgroup takes %d, %v", before, ok)
	}
	child := start(t, c, "clan")
	for range 3 {
		saysPID(t, child.out, "ready")
	}
	if n, _ := c.Memory(); n < 4<<18 || n > 300<<20 {
		t.Errorf("four processes take %d KiB", n>>10)
	}
	if _, err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, ok := c.Memory(); ok {
		t.Error("what is gone was measured")
	}
}
