package jetstream

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// A result that could not be read when somebody said that it is there is looked for again, although the connection
// never was away.
func TestResultThatCannotBeReadNow(t *testing.T) {
	n := oneServer(t)
	cfg := Config{URL: n.url(), Timeout: time.Second}
	a, b := openAt(t, cfg), openAt(t, cfg)
	enqueue(t, a, message("x"))
	told := make(chan task.Result, 1)
	if _, err := b.OnResult(t.Context(), "x", func(r task.Result) { told <- r }); err != nil {
		t.Fatal(err)
	}
	b.waiters.mu.Lock()
	err := b.waiters.by["x"].sub.Unsubscribe() // the word is to come when the server cannot read
	b.waiters.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	ack(t, a, lease(t, a, 1)...)
	if err := n.running.ShutdownJetStream(); err != nil {
		t.Fatal(err)
	}
	b.hearResult("x")
	if len(told) > 0 {
		t.Fatal("a server without its files has told a result")
	}
	if err := n.running.EnableJetStream(&server.JetStreamConfig{StoreDir: n.options.StoreDir}); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-told:
		if r.Status != task.Completed {
			t.Errorf("result is %+v", r)
		}
	case <-time.After(patience):
		t.Fatal("who waits is never told")
	}
	if err := b.Health(); errors.Is(err, broker.ErrUnavailable) {
		t.Error(err)
	}
}
