package policy

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

type waiting struct {
	submitted int64
	priority  int
}

func (w waiting) key() int64 { return Key(w.submitted, w.priority) }

func anyWaiting(t *rapid.T, label string) waiting {
	return waiting{
		submitted: rapid.Int64Range(0, 1<<55).Draw(t, label+" submitted"),
		priority:  rapid.IntRange(-1000, 1000).Draw(t, label+" priority"),
	}
}

func TestEqualPrioritiesAreFirstInFirstOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyWaiting(t, "a"), anyWaiting(t, "b")
		b.priority = a.priority
		if (a.submitted < b.submitted) != (a.key() < b.key()) {
			t.Fatalf("%+v and %+v are in the wrong order", a, b)
		}
	})
}

func TestHigherPriorityFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyWaiting(t, "a")
		b := waiting{a.submitted, a.priority + 1}
		if b.key() >= a.key() {
			t.Fatalf("%+v does not go before %+v", b, a)
		}
	})
}

// Nobody starves: whoever has waited for a step longer than the difference in
// priority goes first.
func TestAging(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, young := anyWaiting(t, "old"), anyWaiting(t, "young")
		levels := int64(max(0, young.priority-old.priority))
		young.submitted = old.submitted + levels*int64(PriorityStep) + rapid.Int64Range(1, 1<<40).Draw(t, "longer")
		if young.priority >= old.priority && old.key() >= young.key() {
			t.Fatalf("%+v still waits for %+v", old, young)
		}
	})
}

// A queue under a steady load of high priorities still serves the low one.
func TestNoStarvation(t *testing.T) {
	queue := []waiting{{0, 0}}
	second := int64(PriorityStep) / 10
	for now := range int64(1000) {
		queue = append(queue, waiting{now * second, 5}, waiting{now * second, 5})
		slices.SortStableFunc(queue, func(a, b waiting) int { return int(min(max(a.key()-b.key(), -1), 1)) })
		if queue[0].priority == 0 {
			return // served although twice as many come as go
		}
		queue = queue[1:]
	}
	t.Error("a task of low priority was never served")
}
