package proc

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// diary is a cage that holds nobody and writes down what it is asked.
type diary struct {
	enterErr, leaveErr error

	mu    sync.Mutex
	asked []string
	tids  []int
}

func (d *diary) note(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, what)
	if what == "enter" || what == "leave" {
		d.tids = append(d.tids, unix.Gettid())
	}
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.asked, " ")
}

func (d *diary) Enter() (int, error) { d.note("enter"); return -1, d.enterErr }
func (d *diary) Leave() error        { d.note("leave"); return d.leaveErr }
func (d *diary) Kill() error         { d.note("kill"); return nil }
func (d *diary) Close() (int, error) { d.note("close"); return 7, nil }
func (d *diary) Held(pid int) bool   { return false }

func TestCageIsEnteredAroundTheFork(t *testing.T) {
	s, d := newSpawner(t), &diary{}
	p := launch(t, s, Command{Path: "/bin/sleep", Args: []string{"1000"}, Cage: d})
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	if e := await(t, p); e.Left != 7 {
		t.Errorf("got %+v", e)
	}
	if got := d.String(); got != "enter leave kill close" {
		t.Errorf("it was asked to %s", got)
	}
	if d.tids[0] != d.tids[1] || d.tids[0] == os.Getpid() {
		t.Errorf("entered by thread %d, left by %d of process %d", d.tids[0], d.tids[1], os.Getpid())
	}
}

// A thread that cannot come back, or not go in, starts nothing, and the file is not blamed.
func TestCageThatRefuses(t *testing.T) {
	for name, d := range map[string]*diary{
		"enter": {enterErr: os.ErrPermission}, "leave": {leaveErr: os.ErrPermission},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpawner(t)
			before := children("/proc", os.Getpid(), nil) // of other tests
			_, err := s.Start(t.Context(), Command{Path: "/bin/sleep", Args: []string{"1000"}, Cage: d})
			if err == nil || errors.Is(err, ErrCannotStart) || !strings.Contains(err.Error(), "cage") {
				t.Errorf("got %v", err)
			}
			for _, child := range children("/proc", os.Getpid(), nil) {
				if !slices.Contains(before, child) {
					t.Errorf("%v is left", child)
				}
			}
		})
	}
}

// Whatever else runs, no spawner works on the first thread.
func TestSpawnersLeaveTheFirstThreadAlone(t *testing.T) {
	for range 50 {
		var tid int
		done := make(chan struct{})
		go func() {
			defer close(done)
			onOwnThread(func() { tid = unix.Gettid() })
		}()
		<-done
		if tid == os.Getpid() {
			t.Fatal("it was the first thread")
		}
	}
}
