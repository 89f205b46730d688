package jetstream

import (
	"errors"
	"testing"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// A task whose letter cannot be stored has not been answered, at whatever try: whoever has it holds it, and tries again.
func TestLetterThatCannotBeStored(t *testing.T) {
	b := embedded(t)
	m := message("x")
	m.UniqueKey = "k"
	enqueue(t, b, m)
	l := lease(t, b, 1)[0]
	dead := []broker.Answer{{Lease: l, Result: &task.Result{Task: l.Task, Status: task.Dead, Started: 1}}}
	if err := b.js.DeleteStream(t.Context(), b.names.stream("d")); err != nil {
		t.Fatal(err)
	}
	for try := range 3 {
		if errs := b.Ack(t.Context(), dead); errs == nil || !errors.Is(errs[0], broker.ErrUnavailable) {
			t.Fatalf("try %d: %v", try, errs)
		}
		if errs := b.Extend(t.Context(), []*broker.Lease{l}); errs != nil {
			t.Fatalf("after try %d the lease is gone: %v", try, errs[0])
		}
	}
	if err := b.ensure(t.Context(), b.streams()...); err != nil {
		t.Fatal(err)
	}
	if errs := b.Ack(t.Context(), dead); errs == nil || !errors.Is(errs[0], broker.ErrFinished) {
		t.Errorf("the result is there, and then the letter: %v", errs)
	}
	if _, err := b.DeadLetter(t.Context(), "x"); err != nil {
		t.Errorf("the letter: %v", err)
	}
	next := message("y")
	next.UniqueKey = "k"
	enqueue(t, b, next)
	ack(t, b, lease(t, b, 5)...)
	nothing(t, b)
}
