package jetstream

import (
	"errors"
	"strings"
	"testing"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

const small = 64 << 10

// wordy are attempts that take more than a message may.
func wordy() []task.Attempt {
	stack := strings.Repeat("s", small*3/4)
	return []task.Attempt{{N: 1, Message: "first", Stack: stack}, {N: 2, Message: "second", OutputTail: stack}}
}

func TestHistoryThatIsTooLarge(t *testing.T) {
	b := openAt(t, Config{Dir: t.TempDir(), MaxMessage: small})
	enqueue(t, b, message("x"))
	l := lease(t, b, 1)[0]
	l.History = broker.History{Starts: 2, Attempts: wordy()}
	if err := b.Nack(t.Context(), l, 0); err != nil {
		t.Fatal(err)
	}
	l = lease(t, b, 1)[0]
	if h := l.History; h.Starts != 2 || len(h.Attempts) != 2 || h.Attempts[1].Message != "second" {
		t.Errorf("history is %+v", h)
	}
	l.History.Attempts = wordy()
	dead := &task.Result{Task: l.Task, Status: task.Dead, Started: 2, Attempts: wordy()}
	if errs := b.Ack(t.Context(), []broker.Answer{{Lease: l, Result: dead}}); errs != nil {
		t.Fatal(errs[0])
	}
	d, err := b.DeadLetter(t.Context(), "x")
	if err != nil || len(d.Result.Attempts) != 2 || string(d.Message.Task.Payload) != "payload of x" {
		t.Errorf("letter is %+v, %v", d, err)
	}
}

// The largest task that there may be can die, whatever is said of it, and live again.
func TestLargestTask(t *testing.T) {
	b := openAt(t, Config{Dir: t.TempDir(), MaxMessage: small})
	m := message("x")
	for m.Task.Payload = make([]byte, small); ; m.Task.Payload = m.Task.Payload[1:] {
		errs := b.Enqueue(t.Context(), []*broker.Message{m})
		if errs == nil {
			break
		}
		if !errors.Is(errs[0], broker.ErrTooLarge) {
			t.Fatal(errs[0])
		}
	}
	l := lease(t, b, 1)[0]
	l.History = broker.History{Starts: 2, Attempts: wordy()}
	dead := &task.Result{
		Task: l.Task, Status: task.Dead, Started: 2, Attempts: wordy(), Err: &task.Error{Kind: task.KindInvalid, Message: strings.Repeat("é", small/4)},
	}
	if errs := b.Ack(t.Context(), []broker.Answer{{Lease: l, Result: dead}}); errs != nil {
		t.Fatal(errs[0])
	}
	if err := b.Revive(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if l := lease(t, b, 1)[0]; len(l.Task.Payload) != len(m.Task.Payload) {
		t.Errorf("of %d bytes there are %d", len(m.Task.Payload), len(l.Task.Payload))
	}
}

func TestMessageThatCannotBeWritten(t *testing.T) {
	b := openAt(t, Config{Dir: t.TempDir(), MaxMessage: small})
	large := make([]byte, small+1)
	if errs := b.publish(t.Context(), []outgoing{{subject: b.names.result("x"), data: large}}); errs == nil || !errors.Is(errs[0], broker.ErrTooLarge) {
		t.Errorf("published: %v", errs)
	}
	if _, err := b.replace(t.Context(), b.names.result("x"), large, 0); !errors.Is(err, broker.ErrTooLarge) {
		t.Errorf("replaced: %v", err)
	}
}
