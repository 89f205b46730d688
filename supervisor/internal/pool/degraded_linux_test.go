package pool_test

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/pool"
	"github.com/brood-run/brood/supervisor/task"
)

// noDescriptors takes every descriptor that this process may still open, until the test has
// ended or the returned function is called.
func noDescriptors(t *testing.T) (restore func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: min(256, old.Cur), Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	var taken []int
	for {
		fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			break // that was the last
		}
		taken = append(taken, fd)
	}
	restore = sync.OnceFunc(func() {
		for _, fd := range taken {
			if err := syscall.Close(fd); err != nil {
				t.Error(err)
			}
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(restore)
	return restore
}

// Too few descriptors for all workers: the pool says so once, works with those that it has, takes
// no worker that makes room for another for a recovery, and recovers when there is room.
func TestPoolWithoutDescriptorsIsDegradedUntilThereAreSome(t *testing.T) {
	r := begin(t, func(c *pool.Config) { c.Workers = 3 })
	first, second := until(r, every[event.WorkerReady]), until(r, every[event.WorkerReady])
	until(r, every[event.WorkerReady])
	r.run("ok", "")             // by then what was open for a moment is closed
	restore := noDescriptors(t) // but those that one worker leaves, too few for another
	failures, degraded := 0, 0
	fail := func(pid int) {
		t.Helper()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for before := failures; failures < before+2; {
			switch e := until(r, every[event.Event]).(type) {
			case event.PoolDegraded:
				degraded++
			case event.PoolRecovered:
				t.Fatal("recovered, and the cause lasts")
			case event.WorkerExited:
				if e.Reason == "start_failed" {
					failures++
				}
			}
		}
		if res := r.run("ok", ""); res.Status != task.Completed {
			t.Fatalf("got %+v", res)
		}
	}
	fail(first.PID)
	fail(second.PID) // leaves room for one
	if d := r.pool.View().Degraded; degraded != 1 || !strings.Contains(d, "ulimit -n") {
		t.Errorf("degraded %d times: %q", degraded, d)
	}
	restore()
	until(r, every[event.PoolRecovered])
	if d := r.pool.View().Degraded; d != "" {
		t.Errorf("degraded: %q", d)
	}
}

// A memory limit that cannot be kept for want of descriptors is told, and kept again later.
func TestMemoryThatCannotBeReadIsTold(t *testing.T) {
	log := &lines{said: make(chan string, 1000)}
	r := begin(t, func(c *pool.Config) {
		c.Workers, c.HardMemoryLimit = 1, 64<<20
		c.Worker.Logger = hclog.New(&hclog.LoggerOptions{Output: log})
	})
	until(r, every[event.WorkerReady])
	r.run("ok", "")
	restore := noDescriptors(t)
	over := make(chan task.Result, 1)
	go func() { over <- r.run("leak", `{"mib_per_s":256}`) }()
	log.until(t, "cannot be read")
	restore()
	log.until(t, "can be read again")
	if got := <-over; got.Status != task.Dead || got.Attempts[0].Outcome != task.OutcomeMemoryLimit {
		t.Errorf("%+v", got)
	}
}

// lines is where a log goes.
type lines struct{ said chan string }

func (l *lines) Write(p []byte) (int, error) {
	l.said <- string(p)
	return len(p), nil
}

func (l *lines) until(t *testing.T, text string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case line := <-l.said:
			if strings.Contains(line, text) {
				return
			}
		case <-late:
			t.Fatalf("nobody says %q", text)
		}
	}
}
