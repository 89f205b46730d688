package proc

import (
	"errors"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestExitStatus(t *testing.T) {
	s := newSpawner(t)
	for _, test := range []struct {
		command Command
		code    int
		signal  string
		text    string
	}{
		{part("exit", "0"), 0, "", "exit code 0"},
		{part("exit", "3"), 3, "", "exit code 3"},
		{part("exit", "255"), 255, "", "exit code 255"},
		{Command{Path: "/bin/sh", Args: []string{"-c", "ulimit -c 0; kill -SEGV $$"}}, -1, "SIGSEGV", "killed by SIGSEGV"},
		{Command{Path: "/bin/sh", Args: []string{"-c", "kill -KILL $$"}}, -1, "SIGKILL", "killed by SIGKILL"},
		{Command{Path: "/bin/sh", Args: []string{"-c", "kill -35 $$"}}, -1, "signal 35", "killed by signal 35"},
	} {
		t.Run(test.text, func(t *testing.T) {
			e := await(t, launch(t, s, test.command))
			if e.Code != test.code || e.Signal != test.signal || e.String() != test.text {
				t.Errorf("got %+v (%v)", e, e)
			}
		})
	}
	if got := (Exit{Code: -1, Signal: "SIGBUS", CoreDumped: true}).String(); got != "killed by SIGBUS (core dumped)" {
		t.Error(got)
	}
}

func TestGroupKillTakesTheGrandchild(t *testing.T) {
	s := newSpawner(t)
	p, out := launchReading(t, s, part("parent", "deaf"))
	dead := watchDeath(t, pids(t, out)[0])
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	dead()
	if e := await(t, p); e.Signal != "SIGKILL" {
		t.Errorf("got %v", e)
	}
}

// A leader that ends by itself must not leave its group behind.
func TestGroupDiesWithItsLeader(t *testing.T) {
	s := newSpawner(t)
	p, out := launchReading(t, s, part("parent", "deaf"))
	dead := watchDeath(t, pids(t, out)[0])
	if err := p.Signal(syscall.SIGTERM); err != nil { // the leader alone
		t.Fatal(err)
	}
	await(t, p)
	dead()
}

func TestSignalsAfterTheEnd(t *testing.T) {
	s := newSpawner(t)
	p := launch(t, s, part("exit", "0"))
	await(t, p)
	_, memory := p.Memory()
	_, peak := p.Peak()
	_, cpu := p.CPU()
	for _, err := range []error{p.Signal(syscall.SIGTERM), p.SignalGroup(syscall.SIGTERM), p.Kill(), memory, peak, cpu} {
		if !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("got %v", err)
		}
	}
}

// Signals race with the end of the process; none may be lost in an odd error.
func TestSignalsDuringTheEnd(t *testing.T) {
	s := newSpawner(t)
	p, out := launchReading(t, s, part("sleep"))
	line(t, out)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				if err := p.Kill(); err != nil {
					if !errors.Is(err, os.ErrProcessDone) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	wg.Wait()
	await(t, p)
}

func TestMemory(t *testing.T) {
	s := newSpawner(t)
	const mib = 96
	c := part("eat", strconv.Itoa(mib))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Extra = []*os.File{r}
	p, out := launchReading(t, s, c)
	_ = r.Close()
	line(t, out)
	m, err := p.Memory()
	if err != nil || m.RSS < mib<<20 || m.RSS > 4*mib<<20 {
		t.Errorf("RSS %d, %v", m.RSS, err)
	}
	peak, err := p.Peak()
	if err != nil || peak < mib<<20 {
		t.Errorf("peak %d, %v", peak, err)
	}
	if cpu, err := p.CPU(); err != nil || cpu < 0 {
		t.Errorf("CPU %v, %v", cpu, err)
	}
	_ = w.Close()
	if e := await(t, p); e.Code != 0 || e.CPU == 0 {
		t.Errorf("ended with %+v", e)
	}
}

// ru_maxrss begins with what the supervisor had; only what is above it is the child's.
func TestMaxRSS(t *testing.T) {
	s := newSpawner(t)
	own := ownPeak()
	if own == 0 {
		t.Fatal("cannot read the own peak memory")
	}
	if e := await(t, launch(t, s, part("exit", "0"))); e.MaxRSS != 0 {
		t.Errorf("a small child has a peak of %d, we have %d", e.MaxRSS, own)
	}
	mib := int(own>>20) + 64
	c := part("eat", strconv.Itoa(mib))
	if e := await(t, launch(t, s, c)); e.MaxRSS < uint64(mib)<<20 || e.MaxRSS > uint64(mib+256)<<20 {
		t.Errorf("a child that took %d MiB has a peak of %d", mib, e.MaxRSS)
	}
}

func BenchmarkMemory(b *testing.B) {
	s := newSpawner(b)
	p, out := launchReading(b, s, part("sleep"))
	line(b, out)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Memory(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestStopped(t *testing.T) {
	s := newSpawner(t)
	p, out := launchReading(t, s, part("sleep"))
	line(t, out)
	if p.Stopped() {
		t.Error("stopped before anybody stopped it")
	}
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	err := ignoringEINTR(func() error {
		return unix.Waitid(unix.P_PID, p.PID(), nil, unix.WSTOPPED|unix.WNOWAIT, nil)
	})
	if err != nil || !p.Stopped() {
		t.Errorf("not stopped, %v", err)
	}
	_ = p.Kill() // it lives
	await(t, p)
	if p.Stopped() {
		t.Error("stopped after its end")
	}
}
