package jetstream

import (
	"errors"
	"testing"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

func TestRoad(t *testing.T) {
	b := embedded(t)
	enqueue(t, b, many("a", 100)...)
	done := make(chan task.Result, 1)
	if _, err := b.OnResult(t.Context(), "a-000042", func(r task.Result) { done <- r }); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for seen < 100 {
		leases := lease(t, b, 30)
		for _, l := range leases {
			if want := many("a", 100)[seen]; l.Task.ID != want.Task.ID || string(l.Task.Payload) != string(want.Task.Payload) || l.Delivery != 1 {
				t.Fatalf("place %d has %+v", seen, l)
			}
			seen++
		}
		ack(t, b, leases...)
	}
	nothing(t, b)
	if r := <-done; string(r.Payload) != "result of a-000042" {
		t.Errorf("result is %+v", r)
	}
	r, err := b.Get(t.Context(), "a-000007")
	if err != nil || r.State != task.StateCompleted || string(r.Result.Payload) != "result of a-000007" || r.Message.Pool != poolName {
		t.Errorf("record is %+v, %v", r, err)
	}
	if errs := b.Enqueue(t.Context(), many("a", 1)); errs == nil || !errors.Is(errs[0], broker.ErrDuplicate) {
		t.Errorf("a finished task is submitted again: %v", errs)
	}
	if _, err := b.Get(t.Context(), "nobody"); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("an unknown id: %v", err)
	}
}

func TestNackAndAgain(t *testing.T) {
	b := embedded(t)
	enqueue(t, b, message("x"))
	l := lease(t, b, 5)[0]
	l.History = broker.History{Starts: 1, Attempts: []task.Attempt{{N: 1, Outcome: task.OutcomeError, Message: "no \xff"}}}
	if err := b.Nack(t.Context(), l, 0); err != nil {
		t.Fatal(err)
	}
	again := lease(t, b, 5)[0]
	if again.Delivery != 2 || again.History.Starts != 1 || again.History.Attempts[0].Message != "no \xff" {
		t.Errorf("leased again as %+v", again)
	}
	ack(t, b, again)
	if errs := b.Ack(t.Context(), []broker.Answer{completed(l)}); errs == nil || !errors.Is(errs[0], broker.ErrFinished) {
		t.Errorf("a second result: %v", errs)
	}
}

func TestPriorities(t *testing.T) {
	b := embedded(t)
	for i, p := range []int{0, 5, -3, 100, 5} {
		m := message(string(rune('a' + i)))
		m.Task.Priority = p
		enqueue(t, b, m)
	}
	order := ""
	for _, l := range lease(t, b, 10) {
		order += l.Task.ID
	}
	if order != "dbeac" {
		t.Errorf("leased as %s", order)
	}
}
