package chaos

import (
	"fmt"
	"slices"

	"github.com/brood-run/brood/supervisor/task"
)

// limits are what the supervisor was told about attempts.
type limits struct{ attempts, crashes int }

// ledger is the account of the results. One goroutine takes them, one after the other.
type ledger struct {
	work     *work
	limits   limits
	evidence func(id string, workers ...string) []string // what is known of a task and workers

	answers  []uint8                // how many results, by the number of the task
	faults   map[string]task.Result // of tasks that are faults
	statuses map[task.Status]int    // of the workload
	failure  string                 // the first task that its own handler failed
	retried  int                    // tasks that were started again
	gaveUp   int                    // at_most_once tasks that did not complete
	harms    []harm
	cut      bool // the run was cut short: tasks may be cancelled

	once, intact, within, atMost *Promise
}

// harm is an attempt that ended with its worker. Whether the worker was struck may be known
// later than the result.
type harm struct {
	task    string
	attempt task.Attempt
}

func newLedger(w *work, l limits, evidence func(string, ...string) []string) *ledger {
	return &ledger{
		work: w, limits: l, evidence: evidence,
		faults: map[string]task.Result{}, statuses: map[task.Status]int{},
		once: newPromise("every task has exactly one result"), intact: newPromise("answers are intact"),
		within: newPromise("attempts are within their limits"), atMost: newPromise("at_most_once tasks start at most once"),
	}
}

// take enters a result.
func (l *ledger) take(r *task.Result) {
	n, ordinary := number(r.Task.ID)
	if !ordinary {
		l.takeFault(r)
		return
	}
	for len(l.answers) <= n {
		l.answers = append(l.answers, 0)
	}
	if l.answers[n] < 255 {
		l.answers[n]++
	}
	l.statuses[r.Status]++
	if l.answers[n] > 1 {
		l.once.breaks(fmt.Sprintf("%s has result number %d: %s", r.Task.ID, l.answers[n], r.Status), l.lines(r)...)
	}
	if r.Status == task.Completed && !l.work.intact(n, r.Payload) {
		l.intact.breaks(fmt.Sprintf("%s was answered with %q", r.Task.ID, head(r.Payload)), l.lines(r)...)
	}
	l.attempts(r)
}

func (l *ledger) takeFault(r *task.Result) {
	if _, twice := l.faults[r.Task.ID]; twice {
		l.once.breaks(fmt.Sprintf("%s has a second result: %s", r.Task.ID, r.Status), l.lines(r)...)
	}
	for i := range r.Attempts {
		r.Attempts[i].OutputTail, r.Attempts[i].Stack = "", "" // which are long
	}
	l.faults[r.Task.ID] = *r
}

// attempts checks how often a task was started, and why more than once.
func (l *ledger) attempts(r *task.Result) {
	crashes := 0
	for _, a := range r.Attempts {
		if diedWith(&a) {
			crashes++
			a.OutputTail, a.Stack = "", "" // which are long
			l.harms = append(l.harms, harm{task: r.Task.ID, attempt: a})
		}
	}
	if r.Started > 1 {
		l.retried++
	}
	if r.Started > l.limits.attempts || crashes > l.limits.crashes {
		l.within.breaks(fmt.Sprintf("%s was started %d times and ended %d workers", r.Task.ID, r.Started, crashes), l.lines(r)...)
	}
	if r.Task.AtMostOnce && r.Status == task.Dead {
		l.gaveUp++
	}
	if r.Task.AtMostOnce && r.Started > 1 {
		l.atMost.breaks(fmt.Sprintf("%s was started %d times", r.Task.ID, r.Started), l.lines(r)...)
	}
	if l.excused(r, crashes) {
		return
	}
	if handlerFailed(r) {
		if l.failure == "" {
			l.failure = fmt.Sprintf("%s: %v", r.Task.ID, r.Err)
		}
		return
	}
	l.within.breaks(fmt.Sprintf("%s is %s after %d starts and %d crashes, which is no reason: %v", r.Task.ID, r.Status, r.Started, crashes, r.Err), l.lines(r)...)
}

// excused says that a task completed, or that there is a reason why not in the rules.
func (l *ledger) excused(r *task.Result, crashes int) bool {
	switch r.Status {
	case task.Completed:
		return true
	case task.Cancelled:
		return l.cut
	case task.Dead:
		return crashes > 0 && (r.Task.AtMostOnce || r.Started >= l.limits.attempts || crashes >= l.limits.crashes)
	}
	return false
}

// handlerFailed says that the plugin itself refused a task: not what is tested here.
func handlerFailed(r *task.Result) bool {
	return r.Err != nil && slices.Contains([]string{task.KindError, task.KindPermanent, task.KindPanic, task.KindTimeout, task.KindExpired}, r.Err.Kind)
}

// diedWith says that an attempt ended because its worker did. After a soft timeout a worker
// lives on.
func diedWith(a *task.Attempt) bool {
	switch a.Outcome {
	case task.OutcomeCompleted, task.OutcomeError, task.OutcomePanic, task.OutcomeCancelled:
		return false
	case task.OutcomeTimeout:
		return a.Signal != "" || a.ExitCode >= 0
	}
	return true
}

// lines shows all that is known of a task.
func (l *ledger) lines(r *task.Result) []string {
	var lines, workers []string
	for _, a := range r.Attempts {
		workers = append(workers, a.Worker)
		lines = append(lines, fmt.Sprintf("attempt %d on %s (pid %d): %s: %s", a.N, a.Worker, a.PID, a.Outcome, a.Message))
	}
	return append(lines, l.evidence(r.Task.ID, workers...)...)
}

// close checks what can only be said at the end: which results are missing.
func (l *ledger) close(fed int) {
	results := 0
	for n := range max(fed, len(l.answers)) {
		switch {
		case n >= fed:
			if l.answers[n] > 0 {
				l.once.breaks(fmt.Sprintf("t%d has a result and was never submitted", n))
			}
		case n >= len(l.answers) || l.answers[n] == 0:
			id := fmt.Sprintf("t%d", n)
			l.once.breaks(id+" was submitted and has no result", l.evidence(id)...)
		default:
			results++
		}
	}
	l.once.found("%d tasks, %d with a result", fed, results)
	if l.work.echoes {
		l.intact.found("%d answers compared with their payloads", l.statuses[task.Completed])
	} else {
		l.intact.found("not compared: the task does not answer its payload")
	}
	l.within.found("%d tasks started again; at most %d attempts, %d crashes", l.retried, l.limits.attempts, l.limits.crashes)
	l.atMost.found("%d such tasks, %d of them dead with their worker", fed/onceEvery, l.gaveUp)
}

func head(text []byte) []byte { return text[:min(len(text), 64)] }
