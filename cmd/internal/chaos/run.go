package chaos

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// run is a Plan that is being carried out.
type run struct {
	plan   *Plan
	pool   supervisor.PoolConfig
	mark   string // of all processes of this run
	work   *work
	s      *supervisor.Supervisor
	events *event.Subscription
	book   *book
	ledger *ledger

	began  time.Time      // of the attack
	ended  time.Time      // when the last result was in
	inject chan task.Task // faults that are tasks, to the feed
	fed    chan struct{}  // closed by the feed when all is fed
	count  int            // tasks of the workload fed; the feed's until fed is closed
	faults []string       // ids of those that were fed as tasks; likewise
	missed int            // strikes that met nobody; the striker's
}

// Run carries out the plan. Cancelling ctx ends the feed; what was done is checked and
// reported all the same. The error is about what kept it from beginning.
func (p Plan) Run(ctx context.Context) (*Report, error) {
	if err := Supported(); err != nil {
		return nil, err
	}
	mark, restore := brand()
	defer restore()
	r := &run{plan: &p, pool: p.pool(), mark: mark, inject: make(chan task.Task, 64), fed: make(chan struct{})}
	before := takeStock(r.pool.Isolation)
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return nil, fmt.Errorf("CPU time of this process: %w", err)
	}
	var follower sync.WaitGroup
	err := r.start(ctx, &follower)
	if err == nil {
		r.attack(ctx)
		r.recover(ctx)
	}
	r.stop()
	follower.Wait()
	if err != nil {
		return nil, err
	}
	r.ledger.close(r.count)
	report := r.report(before, &usage)
	sweep(mark) // what should not be there is in the report; it need not stay on the machine
	return report, nil
}

// brand marks whatever this process starts from now on, until restore is called.
func brand() (mark string, restore func()) {
	above, marked := os.LookupEnv(ipc.EnvTree)
	mark = "chaos-" + rand.Text()
	if marked {
		mark = above + "/" + mark
	}
	_ = os.Setenv(ipc.EnvTree, mark) // the name and the value are good
	return mark, func() {
		if marked {
			_ = os.Setenv(ipc.EnvTree, above)
		} else {
			_ = os.Unsetenv(ipc.EnvTree)
		}
	}
}

// start starts the workers, waits for all of them, and learns whether the task works.
func (r *run) start(ctx context.Context, follower *sync.WaitGroup) error {
	var err error
	if r.work, err = newWork(r.plan.Seed, r.plan.Task, r.plan.Payload, r.plan.Serves); err != nil {
		return err
	}
	grace := r.plan.Grace
	if r.s, err = supervisor.New(supervisor.Config{
		Pools: []supervisor.PoolConfig{r.pool}, QueueSize: r.plan.QueueSize, MaxPayload: r.plan.MaxPayload,
		GracePeriod: grace, ReapOrphans: true, Logger: r.plan.Logger,
	}); err != nil {
		return err
	}
	r.book = newBook(r.pool.Workers, func(w *inmate, f Fault) bool { return send(w, r.mark, f.by().signal) == nil })
	r.events = r.s.Events(1 << 16)
	follower.Go(func() { r.book.follow(r.events.C()) })
	if err := r.s.Start(); err != nil {
		return err
	}
	if err := r.s.WaitReady(ctx); err != nil {
		return err
	}
	r.settle(ctx, r.pool.StartTimeout+patience)
	return r.probe(ctx)
}

// probe runs a task of the workload, which must work while nobody is struck. If it answers
// its payload, so must all the others.
func (r *run) probe(ctx context.Context) error {
	t := r.work.task(0)
	t.ID = "probe"
	h, err := r.s.Submit(ctx, t)
	if err != nil {
		return err
	}
	result, err := h.Wait(ctx)
	if err != nil {
		return err
	}
	if result.Status != task.Completed {
		return &ProbeError{Task: t.Name, Payload: t.Payload, Err: result.Err}
	}
	r.work.echoes = string(result.Payload) == string(t.Payload)
	return nil
}

// ProbeError: a task failed although nobody was struck.
type ProbeError struct {
	Task    string
	Payload []byte
	Err     *task.Error
}

// Error implements error.
func (e *ProbeError) Error() string {
	return fmt.Sprintf("a task with the payload %q fails without any strike: %v", head(e.Payload), e.Err)
}

// attack feeds the workload and strikes until all results are in.
func (r *run) attack(ctx context.Context) {
	r.ledger = newLedger(r.work, limits{r.pool.MaxAttempts, r.pool.MaxCrashes}, r.book.evidence)
	r.began = time.Now()
	var striker sync.WaitGroup
	striker.Go(func() { r.strike(ctx) })
	results := make(chan task.Result, 256)
	go func() { // it ends with the last result; if one is lost, never, which is then told as a broken promise
		defer close(results)
		for result := range r.s.Map(ctx, r.feed(ctx), supervisor.MapOptions{}) {
			results <- result
		}
	}()
	r.collect(ctx, results)
	r.ended = time.Now()
	striker.Wait()
}

// silence is how long nothing may come although nobody has anything to do.
const silence = 10 * time.Second

// collect enters the results until there are no more, or plainly none will come.
func (r *run) collect(ctx context.Context, results <-chan task.Result) {
	tick := time.NewTicker(silence / 10)
	defer tick.Stop()
	quiet := 0
	for quiet < 10 {
		select {
		case result, more := <-results:
			if !more {
				return
			}
			quiet = 0
			r.ledger.cut = ctx.Err() != nil
			r.ledger.take(&result)
		case <-tick.C:
			quiet++
			if !r.idle() {
				quiet = 0
			}
		}
	}
}

// idle says that all is fed and nobody has anything to do.
func (r *run) idle() bool {
	select {
	case <-r.fed:
	default:
		return false
	}
	now := r.s.Snapshot()
	busy := slices.ContainsFunc(now.Pools[0].Workers, func(w supervisor.WorkerSnapshot) bool { return w.Task != "" })
	return !busy && now.Queued == 0 && now.Retrying == 0
}

// recover waits until the pool is whole again, so that every strike has its recovery.
func (r *run) recover(ctx context.Context) {
	r.settle(ctx, r.pool.StartTimeout+r.pool.Heartbeat*time.Duration(r.pool.MissedHeartbeats)+30*time.Second)
}

// settle waits until all workers are up and nobody is dying.
func (r *run) settle(ctx context.Context, within time.Duration) {
	if r.pool.IdleTTL > 0 {
		return // then there is no number of workers that should be up
	}
	eventually(within, func() bool { return r.book.whole(time.Now()) || ctx.Err() != nil })
}

func (r *run) stop() {
	if r.s == nil {
		return
	}
	_ = r.s.Stop(context.Background()) // that context never ends
	if r.events != nil {
		r.events.Close()
	}
}
