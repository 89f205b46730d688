package policy

import "time"

// PriorityStep is how long a task must have waited to go before one that is
// one priority higher and has just come.
const PriorityStep = 10 * time.Second

// Key orders waiting tasks: the smaller goes first. It is the time of
// submission in nanoseconds from any fixed point, moved back by a step for each
// level of priority.
//
// All waiting tasks age equally fast, so the order of any two never changes and a
// fixed key is enough: no queue has to be sorted again as time passes.
func Key(submitted int64, priority int) int64 {
	return submitted - int64(priority)*int64(PriorityStep)
}
