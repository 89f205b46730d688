package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// roleKey is the variable that makes this program a supervisor to be killed. Its value is the pid
// of the process that will do it: nobody becomes one by an inherited variable.
const roleKey = "BROOD_CHAOS_SUPERVISOR"

// Descriptors of such a process.
const (
	fdReady = 3 // it writes a line here when its workers are busy
	fdLeash = 4 // it ends when this does
)

// IsPuppet says whether this process was started as a supervisor to be killed.
func IsPuppet() bool {
	pid, err := strconv.Atoi(os.Getenv(roleKey))
	return err == nil && pid == os.Getppid()
}

// enough is how many results show that the workers are at work.
const enough = 20

// shortLife is after how many tasks a worker is replaced, unless the user has said so: some
// are always just starting when the supervisor dies.
const shortLife = 50

// Obey keeps the workers busy until this process is killed or let go.
func (p Plan) Obey(ctx context.Context) error {
	if err := os.Unsetenv(roleKey); err != nil { // it is not for the workers
		return err
	}
	for _, fd := range []int{fdReady, fdLeash} {
		syscall.CloseOnExec(fd)
	}
	ready, leash := os.NewFile(fdReady, "ready"), os.NewFile(fdLeash, "leash")
	defer ready.Close()
	w, err := newWork(p.Seed, p.Task, p.Payload, p.Serves)
	if err != nil {
		return err
	}
	s, err := p.employ(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		_, _ = io.Copy(io.Discard, leash) // whatever ends it, it is over
		cancel()
	})
	err = p.toil(ctx, cancel, s, w, ready)
	_ = s.Stop(context.Background()) // that context never ends
	leash.Close()
	watch.Wait()
	return err
}

// employ starts the workers.
func (p Plan) employ(ctx context.Context) (*supervisor.Supervisor, error) {
	pool := p.pool()
	if pool.MaxTasksPerChild == 0 {
		pool.MaxTasksPerChild = shortLife
	}
	s, err := supervisor.New(supervisor.Config{
		Pools: []supervisor.PoolConfig{pool}, QueueSize: p.QueueSize, MaxPayload: p.MaxPayload,
		GracePeriod: p.Grace, ReapOrphans: true, Logger: p.Logger,
	})
	if err != nil {
		return nil, err
	}
	if err = s.Start(); err == nil {
		err = s.WaitReady(ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// toil gives the workers tasks until ctx ends, and says on ready when they have done some. If they
// cannot do even those, it gives up.
func (p Plan) toil(ctx context.Context, cancel func(), s *supervisor.Supervisor, w *work, ready io.Writer) (err error) {
	done := 0
	for result := range s.Map(ctx, p.endless(w), supervisor.MapOptions{Limit: 4 * p.Pool.Workers}) {
		if result.Status == task.Dead && done < enough && err == nil {
			err = fmt.Errorf("task %s: %v", result.Task.Name, result.Err)
			cancel()
		}
		if done++; done == enough && err == nil {
			_, err = fmt.Fprintln(ready, "busy")
		}
	}
	return err
}

// endless is the workload without an end. Some tasks leave a process behind that is in no group
// of its worker's, if the plugin can do that.
func (p Plan) endless(w *work) func(func(task.Task, error) bool) {
	left, _ := Possible([]Fault{grandchild}, p.Serves)
	return func(yield func(task.Task, error) bool) {
		for n := 0; ; n++ {
			t := w.task(n)
			if n%onceEvery == 1 && len(left) > 0 {
				by := grandchild.by()
				t.Name, t.Payload = by.task, []byte(by.payload)
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}

// puppet is such a process, seen from the one that started it.
type puppet struct {
	cmd   *exec.Cmd
	mark  string
	ready *os.File // read end
	leash *os.File // write end
}

// conjure starts one in a session of its own, so that what it starts can be told from what
// its workers do.
func conjure(command func() *exec.Cmd, mark string) (*puppet, error) {
	ready, itsReady, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer itsReady.Close()
	itsLeash, leash, err := os.Pipe()
	if err != nil {
		ready.Close()
		return nil, err
	}
	defer itsLeash.Close()
	p := &puppet{cmd: command(), mark: mark, ready: ready, leash: leash}
	p.cmd.Env = append(os.Environ(), roleKey+"="+strconv.Itoa(os.Getpid()), ipc.EnvTree+"="+mark)
	p.cmd.ExtraFiles = []*os.File{itsReady, itsLeash}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := p.cmd.Start(); err != nil {
		p.letGo()
		return nil, err
	}
	return p, nil
}

func (p *puppet) letGo() {
	_ = p.leash.Close() // nothing was written to it
	_ = p.ready.Close()
}

// busy waits until its workers are at work.
func (p *puppet) busy(within time.Duration) error {
	if err := p.ready.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	var line [8]byte
	if _, err := p.ready.Read(line[:]); err != nil {
		return fmt.Errorf("the supervisor to be killed has no busy workers: %w", err)
	}
	return nil
}

// kill ends it the hard way. Its number is its own until Wait has returned.
func (p *puppet) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself, which Wait does not mind
	_ = p.cmd.Wait()
	p.letGo()
}

// end lets it end in good order.
func (p *puppet) end() error {
	p.letGo()
	if err := p.cmd.Wait(); err != nil {
		return errors.Join(errors.New("the supervisor did not end in good order"), err)
	}
	return nil
}
