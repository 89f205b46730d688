package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// diary is a book with forged events. Nobody is really struck.
type diary struct {
	*book
	at       time.Time
	attacked []string
}

func newDiary(size int) *diary {
	d := &diary{at: time.Now().Add(-time.Hour)}
	d.book = newBook(size, func(w *inmate, f Fault) bool {
		d.attacked = append(d.attacked, string(f)+" "+w.name)
		return true
	})
	return d
}

func (d *diary) starts(name string) {
	d.enter(event.WorkerStarting{Time: d.at, Worker: name, PID: len(name)})
}

func (d *diary) ready(name string) {
	d.starts(name)
	d.enter(event.WorkerReady{Time: d.at, Worker: name, PID: len(name)})
}

func (d *diary) exits(name, reason string) {
	d.enter(event.WorkerExited{Time: d.at, Worker: name, PID: len(name), Reason: reason, Exit: "killed"})
}

// hits strikes and takes the time from the diary's clock.
func (d *diary) hits(f Fault, pick uint64) bool {
	n := len(d.book.hits)
	ok := d.strike(Strike{N: n + 1, Fault: f, Pick: pick})
	for _, h := range d.book.hits[n:] {
		h.at = d.at
	}
	return ok
}

func TestRecoveryIsTheTimeUntilAReplacementIsReady(t *testing.T) {
	d := newDiary(2)
	d.ready("w-1")
	d.ready("w-2")
	if !d.hits(Kill, 1) || d.attacked[0] != "kill w-2" {
		t.Fatalf("attacked %v", d.attacked)
	}
	d.at = d.at.Add(time.Millisecond)
	d.exits("w-2", "signal")
	if d.whole(d.at) {
		t.Error("whole with one of two workers")
	}
	d.at = d.at.Add(2 * time.Millisecond)
	d.ready("w-3")
	if h := d.book.hits[0]; h.recovered != 3*time.Millisecond || !d.whole(d.at) {
		t.Errorf("recovered after %v", h.recovered)
	}
	if p := d.recovered(false); !p.Kept {
		t.Errorf("%+v", p)
	}
}

func TestNobodyIsStruckTwice(t *testing.T) {
	d := newDiary(2)
	d.starts("starting")
	d.ready("w-1")
	d.ready("draining")
	d.enter(event.WorkerDraining{Time: d.at, Worker: "draining"})
	if !d.hits(Stop, 5) || d.hits(Kill, 5) || len(d.attacked) != 1 || d.attacked[0] != "stop w-1" {
		t.Errorf("attacked %v", d.attacked)
	}
}

// Unless it has survived: then it is a worker like the others.
func TestSurvivorsAreStruckAgain(t *testing.T) {
	d := newDiary(1)
	d.ready("w-1")
	if !d.hits(Int, 0) || !d.hits(Kill, 0) {
		t.Errorf("attacked %v", d.attacked)
	}
	d.exits("w-1", "signal")
	d.ready("w-2")
	if p := d.recovered(false); !p.Kept || p.Found != "1 replaced, 1 survived" {
		t.Errorf("%+v", p)
	}
}

// That a survivor leaves when all is over is not the strike's doing.
func TestShutdownIsNoConsequence(t *testing.T) {
	d := newDiary(1)
	d.ready("w-1")
	d.hits(Int, 0)
	d.exits("w-1", "shutdown")
	if p := d.recovered(false); !p.Kept || p.Found != "0 replaced, 1 survived" {
		t.Errorf("%+v", p)
	}
}

func TestWhoDiesStartingIsReplacedForTheSameStrike(t *testing.T) {
	d := newDiary(1)
	d.ready("w-1")
	d.hits(Start, 0)
	d.exits("w-1", "signal")
	d.at = d.at.Add(time.Millisecond)
	d.starts("w-2")
	d.exits("w-2", "start_failed")
	d.at = d.at.Add(time.Millisecond)
	d.ready("w-3")
	if strings.Join(d.attacked, ", ") != "start w-1, start w-2" || d.book.starts != 1 {
		t.Errorf("attacked %v, %d failed starts", d.attacked, d.book.starts)
	}
	if h := d.book.hits; len(h) != 1 || h[0].recovered != 2*time.Millisecond {
		t.Errorf("%+v", *h[0])
	}
}

func TestWorkersThatAreNotReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(d *diary)
		says string
	}{
		"never came back":   {func(d *diary) { d.hits(Kill, 0); d.exits("w-1", "signal") }, "w-1 (signal, killed after strike 1, kill, at 0s) was not replaced"},
		"outlived the stop": {func(d *diary) { d.hits(Stop, 0) }, "w-1 outlived strike 1, stop"},
	} {
		d := newDiary(1)
		d.ready("w-1")
		c.do(d)
		if p := d.recovered(false); p.Kept || !strings.Contains(p.Evidence[0], c.says) {
			t.Errorf("%s: %+v", name, p)
		}
		if p := d.recovered(true); !p.Kept {
			t.Errorf("%s, interrupted: %+v", name, p)
		}
	}
}

// A worker that was on its way out is no loss.
func TestLeavingWorkersNeedNoReplacement(t *testing.T) {
	d := newDiary(1)
	d.ready("w-1")
	d.hits(Kill, 0)
	d.enter(event.WorkerStopping{Time: d.at, Worker: "w-1"})
	d.exits("w-1", "max_tasks")
	if p := d.recovered(false); !p.Kept {
		t.Errorf("%+v", p)
	}
}

func TestOnlyTasksInStruckWorkersAreHarmed(t *testing.T) {
	d := newDiary(2)
	d.ready("w-1")
	d.ready("w-2")
	d.hits(Kill, 0)
	d.exits("w-1", "signal")
	d.exits("w-2", "heartbeat_lost")
	harms := []harm{
		{"t1", task.Attempt{N: 1, Worker: "w-1", PID: 3, Outcome: task.OutcomeCrashed}},
		{"t2", task.Attempt{N: 1, Worker: "w-2", PID: 4, Outcome: task.OutcomeHeartbeatLost, Message: "silent"}},
	}
	p := d.unharmed(harms, nil)
	if p.Kept || p.cases != 2 || !strings.Contains(p.Evidence[0], "t2 lost attempt 1 on w-2 (pid 4), which nobody had struck") {
		t.Errorf("%+v", p)
	}
	if !strings.Contains(strings.Join(p.Evidence, "\n"), "worker w-2 (pid 3) ended: heartbeat_lost") {
		t.Errorf("no events: %q", p.Evidence)
	}
	if p := d.unharmed(nil, nil); p.Kept || !strings.HasPrefix(p.Evidence[0], "w-2, which nobody had struck, was ended: heartbeat_lost") {
		t.Errorf("a worker without a task: %+v", p)
	}
	d.ends["w-2"] = "hard_timeout"
	if p := d.unharmed(harms, []string{"hard_timeout"}); !p.Kept {
		t.Errorf("a limit of the user's: %+v", p)
	}
}

func TestFaultsThatAreTasksHaveTheirRecord(t *testing.T) {
	result := func(status task.Status, o task.Outcome, worker string) task.Result {
		return task.Result{Status: status, Attempts: []task.Attempt{{N: 1, Worker: worker, Outcome: o}}}
	}
	for name, c := range map[string]struct {
		results map[string]task.Result
		kept    bool
	}{
		"as it should be":  {map[string]task.Result{"s1": result(task.Dead, task.OutcomeTimeout, "w-1")}, true},
		"no result":        {nil, false},
		"it worked":        {map[string]task.Result{"s1": {Status: task.Completed}}, false},
		"another reason":   {map[string]task.Result{"s1": result(task.Dead, task.OutcomeCrashed, "w-1")}, false},
		"struck meanwhile": {map[string]task.Result{"s1": result(task.Dead, task.OutcomeCrashed, "w-2")}, true},
	} {
		d := newDiary(2)
		d.ready("w-1")
		d.ready("w-2")
		d.fault("s1", Strike{N: 9, Fault: Hang})
		d.enter(event.TaskStarted{Time: d.at, Task: "s1", Worker: "w-1"})
		d.hits(Kill, 0) // the other one
		if d.attacked[0] != "kill w-2" {
			t.Fatalf("attacked %v", d.attacked)
		}
		if p := d.explained([]string{"s1"}, c.results, false, nil); p.Kept != c.kept {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestRecentEventsAreKept(t *testing.T) {
	d := newDiary(1)
	for range lastEvents {
		d.enter(event.TaskStarted{Time: d.at, Task: "old"})
	}
	d.enter(event.TaskStarted{Time: d.at, Task: "t1", Name: "x", Worker: "w-1"})
	d.enter(event.TaskFinished{Time: d.at, Task: "t1", Name: "x", Status: "completed"})
	got := d.evidence("t1")
	if len(got) != 2 || !strings.Contains(got[0], "started on w-1") || !strings.Contains(got[1], "is completed") || len(d.recent) != lastEvents {
		t.Errorf("%q of %d events", got, len(d.recent))
	}
}
