package jetstream

import (
	"testing"

	"github.com/brood-run/brood/supervisor/task"
)

// The server takes a task out of its queue a moment after its result and its letter are there, if it hears of that at
// all. Who revives the task in that moment revives it, and does not take what is about to go for what comes.
func TestRevivedBeforeItIsGone(t *testing.T) {
	b := embedded(t)
	enqueue(t, b, message("x"))
	l := lease(t, b, 1)[0]
	dead := &task.Result{Task: l.Task, Status: task.Dead, Started: 1}
	data, err := b.encodeResult(&l.Message, dead)
	if err != nil {
		t.Fatal(err)
	}
	letter, err := b.letter(&l.Message, dead)
	if err != nil {
		t.Fatal(err)
	}
	if errs := b.publish(t.Context(), []outgoing{{subject: b.names.result("x"), data: data}, letter}); errs != nil {
		t.Fatal(errs)
	}
	if err := b.Revive(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if err := b.nc.Publish(l.Token.(*claim).reply, nil); err != nil { // it hears of it now
		t.Fatal(err)
	}
	again := lease(t, b, 1)[0]
	if again.Task.ID != "x" || again.Delivery != 1 || again.History.Starts != 0 {
		t.Errorf("leased %s, delivery %d after %d starts", again.Task.ID, again.Delivery, again.History.Starts)
	}
	ack(t, b, again)
	nothing(t, b)
}
