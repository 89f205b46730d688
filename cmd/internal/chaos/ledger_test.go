package chaos

import (
	"fmt"
	"strings"
	"testing"

	"github.com/brood-run/brood/supervisor/task"
)

// history is a run that went well, until somebody forges it.
type history struct {
	*ledger
	results []task.Result
}

func forge(t *testing.T, tasks int) *history {
	t.Helper()
	w, err := newWork(1, "", nil, []string{"echo"})
	if err != nil {
		t.Fatal(err)
	}
	w.echoes = true
	h := &history{ledger: newLedger(w, limits{attempts: 3, crashes: 2}, func(id string, workers ...string) []string {
		return []string{fmt.Sprint("event of ", id, workers)}
	})}
	for n := range tasks {
		one := w.task(n)
		h.results = append(h.results, task.Result{Task: one, Status: task.Completed, Payload: one.Payload, Started: 1})
	}
	return h
}

// crashed gives a result attempts that ended with their worker.
func (h *history) crashed(n, times int) *task.Result {
	r := &h.results[n]
	for range times {
		r.Attempts = append(r.Attempts, task.Attempt{N: len(r.Attempts) + 1, Worker: "w-1", PID: 7, Outcome: task.OutcomeCrashed, Signal: "SIGKILL", ExitCode: -1})
	}
	r.Started += times
	return r
}

// invents adds a result of a task that nobody has submitted.
func (h *history) invents(n int) {
	one := h.work.task(n)
	h.results = append(h.results, task.Result{Task: one, Status: task.Completed, Payload: one.Payload, Started: 1})
}

func (h *history) told() []*Promise {
	for i := range h.results {
		h.take(&h.results[i])
	}
	h.close(20)
	return []*Promise{h.once, h.intact, h.within, h.atMost}
}

func TestForgedHistories(t *testing.T) {
	dead := func(r *task.Result, kind string) {
		r.Status, r.Payload, r.Err = task.Dead, nil, &task.Error{Kind: kind, Message: "because"}
	}
	for name, c := range map[string]struct {
		forge  func(h *history)
		broken string // the promise
		says   string // the evidence
	}{
		"nothing wrong":   {func(*history) {}, "", ""},
		"lost":            {func(h *history) { h.results = append(h.results[:5], h.results[6:]...) }, "every task has exactly one result", "t5 was submitted and has no result"},
		"last lost":       {func(h *history) { h.results = h.results[:19] }, "every task has exactly one result", "t19 was submitted and has no result"},
		"doubled":         {func(h *history) { h.results = append(h.results, h.results[3]) }, "every task has exactly one result", "t3 has result number 2"},
		"made up":         {func(h *history) { h.invents(77) }, "every task has exactly one result", "t77 has a result and was never submitted"},
		"altered":         {func(h *history) { h.results[4].Payload = h.results[5].Payload }, "answers are intact", "t4 was answered with"},
		"crashed once":    {func(h *history) { h.crashed(1, 1) }, "", ""},
		"at its limit":    {func(h *history) { dead(h.crashed(1, 2), task.KindCrashed); h.results[1].Started = 2 }, "", ""},
		"over crashes":    {func(h *history) { h.crashed(1, 3) }, "attempts are within their limits", "t1 was started 4 times and ended 3 workers"},
		"over attempts":   {func(h *history) { h.results[1].Started = 4 }, "attempts are within their limits", "t1 was started 4 times"},
		"gave up early":   {func(h *history) { dead(h.crashed(1, 1), task.KindCrashed); h.results[1].Started = 1 }, "attempts are within their limits", "t1 is dead after 1 starts and 1 crashes"},
		"cancelled":       {func(h *history) { h.results[1].Status = task.Cancelled }, "attempts are within their limits", "t1 is cancelled"},
		"interrupted":     {func(h *history) { h.cut = true; h.results[1].Status = task.Cancelled }, "", ""},
		"own failure":     {func(h *history) { dead(&h.results[1], task.KindError) }, "", ""},
		"twice":           {func(h *history) { h.crashed(9, 1) }, "at_most_once tasks start at most once", "t9 was started 2 times"},
		"once and dead":   {func(h *history) { dead(h.crashed(9, 1), task.KindCrashed); h.results[9].Started = 1 }, "", ""},
		"once, no reason": {func(h *history) { dead(&h.results[9], task.KindCrashed) }, "attempts are within their limits", "t9 is dead after 1 starts and 0 crashes"},
	} {
		h := forge(t, 20)
		c.forge(h)
		promises := h.told()
		if got := Broken(promises); got != c.broken {
			t.Errorf("%s: broken is %q, want %q", name, got, c.broken)
			continue
		}
		var evidence []string
		for _, p := range promises {
			evidence = append(evidence, p.Evidence...)
		}
		if text := strings.Join(evidence, "\n"); !strings.Contains(text, c.says) {
			t.Errorf("%s: the evidence is\n%s", name, text)
		}
	}
}

func TestEvidenceShowsAttemptsAndEvents(t *testing.T) {
	h := forge(t, 20)
	h.crashed(9, 1)
	text := strings.Join(h.told()[3].Evidence, "\n")
	for _, want := range []string{"attempt 1 on w-1 (pid 7): crashed", "event of t9[w-1]"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	h := forge(t, 20)
	h.results = h.results[:2]
	p := h.told()[0]
	if p.cases != 18 || len(p.Evidence) != 2*mostEvidence || !strings.HasPrefix(p.Found, "18 cases") {
		t.Errorf("%d cases, %q, evidence %q", p.cases, p.Found, p.Evidence)
	}
}

// After a soft timeout the worker lives: that is no harm that a strike did.
func TestSoftTimeoutIsNoDeath(t *testing.T) {
	for want, a := range map[bool]task.Attempt{
		false: {Outcome: task.OutcomeTimeout, ExitCode: -1},
		true:  {Outcome: task.OutcomeTimeout, ExitCode: 2},
	} {
		if got := diedWith(&a); got != want {
			t.Errorf("%+v: %v", a, got)
		}
	}
}
