package dispatch

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// note publishes a transition and, at debug level, logs it once the lock is released:
// a logger may block, the dispatcher may not. Callers ask noted first, so that
// the hot path builds nothing that nobody reads.
func (d *Dispatcher) note(j *Job, e event.Event) {
	d.cfg.Events.Publish(e)
	if !d.debug {
		return
	}
	t := &j.Result.Task
	d.actions = append(d.actions, func() {
		d.cfg.Logger.Debug(e.String(), "event", e.Kind(), "correlation_id", t.ID)
	})
}

func (d *Dispatcher) noted() bool { return d.debug || d.cfg.Events.Active() }

func (d *Dispatcher) publishQueued(j *Job) {
	if d.noted() {
		t := &j.Result.Task
		d.note(j, event.TaskQueued{Time: time.Now(), Pool: d.cfg.Pool, Task: t.ID, Name: t.Name})
	}
}

func (d *Dispatcher) publishStarted(j *Job) {
	if d.noted() {
		t, w := &j.Result.Task, j.lane.worker
		d.note(j, event.TaskStarted{Time: time.Now(), Pool: d.cfg.Pool, Task: t.ID, Name: t.Name,
			Worker: w.Name(), PID: w.PID(), Attempt: j.starts + 1})
	}
}

func (d *Dispatcher) publishRecalled(j *Job, from Worker) {
	if d.noted() {
		t := &j.Result.Task
		d.note(j, event.TaskRecalled{Time: time.Now(), Pool: d.cfg.Pool, Task: t.ID, Name: t.Name, Worker: from.Name()})
	}
}

func (d *Dispatcher) publishFailed(j *Job, a *task.Attempt) {
	if d.noted() {
		t := &j.Result.Task
		d.note(j, event.TaskAttemptFailed{Time: time.Now(), Pool: d.cfg.Pool, Task: t.ID, Name: t.Name,
			Worker: a.Worker, PID: a.PID, Attempt: a.N, Outcome: string(a.Outcome), Message: a.Message})
	}
}

func (d *Dispatcher) publishRetrying(j *Job, delay time.Duration) {
	if d.noted() {
		t := &j.Result.Task
		d.note(j, event.TaskRetrying{Time: time.Now(), Pool: d.cfg.Pool, Task: t.ID, Name: t.Name,
			Attempt: j.starts + 1, Delay: delay})
	}
}

func (d *Dispatcher) publishFinished(j *Job) {
	if d.noted() {
		r := &j.Result
		e := event.TaskFinished{Time: time.Now(), Pool: d.cfg.Pool, Task: r.Task.ID, Name: r.Task.Name,
			Status: string(r.Status), Attempts: r.Started, Queued: r.Queued, Run: r.Run}
		if r.Err != nil {
			e.Message = r.Err.Message
		}
		d.note(j, e)
	}
}

// unknown says which handlers there are.
func (d *Dispatcher) unknown(name string) string {
	served := strings.Join(slices.Sorted(maps.Keys(d.handlers)), ", ")
	if name == "" {
		return fmt.Sprintf("the task has no name and the plugin serves several: %s", served)
	}
	return fmt.Sprintf("the plugin has no task %q; it serves: %s", name, served)
}

func encodeMeta(m map[string]string) []byte {
	if len(m) == 0 {
		return nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("dispatch: encode metadata: %v", err)) // a map of strings always can be
	}
	return b
}
