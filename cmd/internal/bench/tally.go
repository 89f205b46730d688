package bench

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/brood-run/brood/supervisor/task"
)

// wrong is the status, in a Tally, of a task that completed with another answer than
// its payload although the handler is known to echo.
const wrong task.Status = "wrong answer"

// Tally counts tasks by how they ended. The zero value is ready to use.
type Tally struct {
	Statuses map[task.Status]int `json:"statuses"`
	Failure  string              `json:"failure,omitempty"` // the first, in words
	done     int                 // completed; apart from the map, which would cost the loop time
}

func (c *Tally) add(r *task.Result, t *Target) {
	if r.Status == task.Completed && (!t.Echo || bytes.Equal(r.Payload, t.Payload)) {
		c.done++
		return
	}
	status, text := r.Status, "no reason given"
	switch {
	case r.Err != nil:
		text = r.Err.Error()
	case r.Status == task.Completed:
		status, text = wrong, fmt.Sprintf("%d bytes came back that are not the %d bytes sent", len(r.Payload), len(t.Payload))
	}
	c.count(status, 1)
	if c.Failure == "" {
		c.Failure = text
	}
}

func (c *Tally) count(s task.Status, n int) {
	if c.Statuses == nil {
		c.Statuses = make(map[task.Status]int)
	}
	c.Statuses[s] += n
}

// merge adds what another goroutine or phase has counted.
func (c *Tally) merge(other Tally) {
	c.done += other.done
	for s, n := range other.Statuses {
		c.count(s, n)
	}
	if c.Failure == "" {
		c.Failure = other.Failure
	}
}

// total folds the completed tasks into the map, for people to read.
func (c Tally) total() Tally {
	all := Tally{Failure: c.Failure}
	all.merge(Tally{Statuses: c.Statuses})
	if c.done > 0 {
		all.count(task.Completed, c.done)
	}
	return all
}

// Failed is how many tasks did not complete as they should.
func (c Tally) Failed() int {
	n := 0
	for s, k := range c.Statuses {
		if s != task.Completed {
			n += k
		}
	}
	return n
}

// Err is nil if every task completed as it should.
func (c Tally) Err() error {
	if c.Failed() == 0 {
		return nil
	}
	return fmt.Errorf("%s; the first: %s", c, c.Failure)
}

// String lists the counts.
func (c Tally) String() string {
	all := c.total()
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(all.Statuses)) {
		parts = append(parts, fmt.Sprintf("%d %s", all.Statuses[s], s))
	}
	return strings.Join(parts, ", ")
}
