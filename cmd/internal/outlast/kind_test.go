package outlast

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// kind is a sort of task and what may become of it.
type kind struct {
	name   string
	weight int
	work   work
	most   int // starts of its handler
	once   bool
	fails  bool // it never completes
	delay  time.Duration
	ranked bool // it has a priority
	unique bool // it has a unique key
}

// kinds are the tasks of a run. The slow ones are few, so that the runs are not long.
func kinds() []kind {
	return []kind{
		{name: "quick", weight: 600, most: 3},
		{name: "ranked", weight: 100, most: 3, ranked: true},
		{name: "short", weight: 40, most: 3, work: work{MS: 5}},
		{name: "long", weight: 1, most: 3, work: work{MS: 200}},
		{name: "single", weight: 60, most: 1},
		{name: "single-short", weight: 10, most: 1, work: work{MS: 5}},
		{name: "once", weight: 60, most: 1, once: true},
		{name: "once-short", weight: 10, most: 1, once: true, work: work{MS: 5}},
		{name: "retried", weight: 20, most: 5, work: work{FailUntil: 2}},
		{name: "doomed", weight: 10, most: 2, fails: true, work: work{FailUntil: 100}},
		{name: "delayed", weight: 20, most: 3, delay: 2 * time.Second},
		{name: "unique", weight: 20, most: 3, unique: true},
	}
}

// item is a task that is submitted, and what is known of it.
type item struct {
	kind      *kind
	id        string
	priority  int
	key       string
	submitted time.Time // at the earliest
}

func (i *item) submission() submission {
	s := submission{ID: i.id, Task: "tally", Payload: i.kind.work}
	o := options{Priority: i.priority, AtMostOnce: i.kind.once, UniqueKey: i.key}
	if i.kind.delay > 0 {
		o.Delay = fmt.Sprintf("%gs", i.kind.delay.Seconds())
	}
	if !i.kind.once {
		o.MaxAttempts = i.kind.most
	}
	if o != (options{MaxAttempts: 3}) { // the default of the pool
		s.Options = &o
	}
	return s
}

// draw makes an item up.
func draw(rnd *rand.Rand, all []kind, id string) *item {
	total := 0
	for _, k := range all {
		total += k.weight
	}
	n := rnd.IntN(total)
	i := &item{id: id}
	for at := range all {
		if i.kind = &all[at]; n < i.kind.weight {
			break
		}
		n -= i.kind.weight
	}
	if i.kind.ranked {
		i.priority = rnd.IntN(5) - 2
	}
	if i.kind.unique {
		i.key = fmt.Sprint("key-", rnd.IntN(20))
	}
	return i
}
