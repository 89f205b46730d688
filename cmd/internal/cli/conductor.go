package cli

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor"
)

// conductor decides how a run that has begun comes to its end: by itself, by
// signals, by the end of the grace period, or because an output failed. One
// goroutine runs it.
type conductor struct {
	*runner
	supervisor *supervisor.Supervisor
	stop       func() // take no new task
	kill       func() // do not wait for workers to stop politely
	signals    *signals
	ended      <-chan supervisor.Snapshot

	interrupted bool
	grace       <-chan time.Time
}

func (c *conductor) conduct() error {
	outFailed, deadFailed := c.out.failed, deadFailure(c.dead)
	for {
		select {
		case snap := <-c.ended:
			return c.finish(snap, c.interrupted)
		case <-c.signals.c:
			if c.interrupted {
				return c.abandon()
			}
			c.interrupt()
		case <-c.grace:
			fmt.Fprintf(c.errOut, "brood: the grace period of %v is over: stopping what still runs\n", c.opts.grace)
			c.abort()
		case <-outFailed:
			outFailed = nil
			c.abort()
		case <-deadFailed:
			deadFailed = nil
			c.abort()
		}
	}
}

func deadFailure(s *sink) <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.failed
}

// interrupt is the first signal: running tasks may finish.
func (c *conductor) interrupt() {
	c.interrupted = true
	fmt.Fprintf(c.errOut, "brood: interrupt: finishing %s; again to stop now\n", plural(c.supervisor.Snapshot().Running, "running task"))
	c.stop()
	c.intake.interrupt()
	c.grace = time.After(c.opts.grace)
}

// abort ends everything that runs; what can still be reported will be.
func (c *conductor) abort() {
	c.grace = nil
	c.stop()
	c.kill()
	c.intake.halt()
	// Close waits for processes to die, and signals must be heard meanwhile. run
	// closes again before it returns and so waits for this.
	go c.supervisor.Close()
}

// abandon is the second signal: workers die, results already here get a moment to
// leave, and the program ends whoever is slow.
func (c *conductor) abandon() error {
	c.signals.release() // a third signal ends brood whatever happens here
	c.abort()
	fmt.Fprintln(c.errOut, "brood: stopped")
	if err := c.supervisor.Close(); err != nil {
		fmt.Fprintln(c.errOut, "brood:", err)
	}
	written := make(chan error, 1)
	go func() { written <- c.finish(<-c.ended, true) }()
	select {
	case err := <-written:
		return err
	case <-time.After(lastWords):
		return exitCode(exitInterrupted)
	}
}
