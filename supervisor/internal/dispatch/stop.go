package dispatch

import (
	"github.com/brood-run/brood/supervisor/task"
)

// Stop takes no more jobs and cancels those that wait, in the queue or unstarted in a
// worker's pipe. The channel closes when no job is left.
func (d *Dispatcher) Stop() <-chan struct{} {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		now := d.now()
		d.returnWaiting()
		for j, ok := d.queue.Pop(); ok; j, ok = d.queue.Pop() {
			if j.state == task.StateQueued {
				d.queued--
				d.cancelled(j, now, "the supervisor stopped before it was started")
			}
		}
		for _, j := range d.suspects {
			d.cancelled(j, now, "the supervisor stopped before its next attempt")
		}
		d.suspects = nil
		for len(d.delayed) > 0 {
			d.cancelled(d.delayed.pop(), now, "the supervisor stopped before its next attempt")
		}
		for l := range d.lanes {
			l.recall()
		}
		d.admit()
		d.checkDrained()
	}
	d.release()
	return d.drained
}

// Close ends the clock. Call it after Stop, when every worker has exited.
func (d *Dispatcher) Close() {
	close(d.stop)
	d.clock.Wait()
}

func (d *Dispatcher) checkDrained() {
	if d.closed && d.waiting()+len(d.delayed)+d.running == 0 {
		select {
		case <-d.drained:
		default:
			close(d.drained)
		}
	}
}
