package chaos

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// feed yields the workload at its pace, and between them the faults that are tasks, until all is fed,
// the time is over or ctx ends.
func (r *run) feed(ctx context.Context) iter.Seq2[task.Task, error] {
	return func(yield func(task.Task, error) bool) {
		defer close(r.fed)
		pace := r.plan.pace()
		for r.plan.Tasks == 0 || r.count < r.plan.Tasks {
			t, more := r.next(ctx, r.began.Add(time.Duration(r.count)*pace))
			if !more || !yield(t, nil) {
				return
			}
		}
	}
}

// next is a fault if there is one, or the next task of the workload when its time has come.
func (r *run) next(ctx context.Context, due time.Time) (t task.Task, more bool) {
	select {
	case t := <-r.inject:
		return r.taskOfFault(t), true
	default:
	}
	now := time.Now()
	if ctx.Err() != nil || r.plan.Duration > 0 && now.Sub(r.began) >= r.plan.Duration {
		return task.Task{}, false
	}
	if wait := due.Sub(now); wait > time.Millisecond { // a shorter one costs more than it is worth
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case t := <-r.inject:
			return r.taskOfFault(t), true
		case <-timer.C:
		case <-ctx.Done():
			return task.Task{}, false
		}
	}
	t = r.work.task(r.count)
	r.count++
	return t, true
}

func (r *run) taskOfFault(t task.Task) task.Task {
	r.faults = append(r.faults, t.ID)
	return t
}

// strike carries out the schedule until all is fed.
func (r *run) strike(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for s := range schedule(r.plan.Seed, r.plan.Rate, r.plan.Faults, r.plan.gap) {
		timer.Reset(time.Until(r.began.Add(s.At)))
		select {
		case <-timer.C:
		case <-r.fed:
			return
		case <-ctx.Done():
			return
		}
		if !r.hit(s) {
			r.missed++
		}
	}
}

// hit makes one fault happen. It says whether that was possible.
func (r *run) hit(s Strike) bool {
	by := s.Fault.by()
	if by.task == "" {
		return r.book.strike(s)
	}
	t := task.Task{ID: fmt.Sprintf("strike%d-%s", s.N, s.Fault), Name: by.task, Payload: []byte(by.payload)}
	t.Priority, t.MaxAttempts, t.HardTimeout, t.SoftTimeout = task.MaxPriority, 1, by.timeout, -1
	r.book.fault(t.ID, s)
	select {
	case r.inject <- t:
		return true
	default:
		return false // nobody takes tasks now
	}
}
