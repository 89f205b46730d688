package cli

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/brood-run/brood/supervisor/task"
)

// showFailures is how many failed tasks the summary lists. The rest are in the output.
const showFailures = 20

// tally counts results for the closing summary in memory that does not grow.
type tally struct {
	started  time.Time
	statuses map[task.Status]int
	outcomes map[task.Outcome]int // of attempts that went wrong
	latency  *hdrhistogram.Histogram
	failures []string // the first showFailures
	total    int
}

func newTally() *tally {
	return &tally{
		started:  time.Now(),
		statuses: make(map[task.Status]int),
		outcomes: make(map[task.Outcome]int),
		// A microsecond to a week, three digits.
		latency: hdrhistogram.New(1, int64(7*24*time.Hour/time.Microsecond), 3),
	}
}

func (t *tally) add(r *task.Result) {
	t.total++
	t.statuses[r.Status]++
	for i := range r.Attempts {
		if o := r.Attempts[i].Outcome; o != task.OutcomeCompleted {
			t.outcomes[o]++
		}
	}
	if r.Started > 0 {
		took := min((r.Queued + r.Run).Microseconds(), t.latency.HighestTrackableValue())
		// Within the bounds just given, so it cannot fail.
		_ = t.latency.RecordValue(max(took, 1))
	}
	if r.Status != task.Completed && r.Status != task.Cancelled && len(t.failures) < showFailures {
		t.failures = append(t.failures, failure(r))
	}
}

// failed is how many tasks did not complete.
func (t *tally) failed() int { return t.total - t.statuses[task.Completed] }

// failure says in one line what happened to a task.
func failure(r *task.Result) string {
	what := string(r.Status)
	if r.Err != nil {
		what = r.Err.Kind
	}
	line := fmt.Sprintf("%s: %s", r.Task.ID, what)
	if r.Err != nil && r.Err.Message != "" {
		line += ": " + firstLine(r.Err.Message)
	}
	if r.Started > 1 {
		line += fmt.Sprintf(" (%d attempts)", r.Started)
	}
	return line
}

// firstLine keeps the summary readable whatever a handler wrote into its error.
func firstLine(s string) string {
	const most = 300
	for i, c := range s {
		if c == '\n' || i >= most {
			return s[:i] + " ..."
		}
	}
	return s
}
