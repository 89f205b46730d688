package jetstream

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

const poolName = "p"

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

func openAt(t testing.TB, cfg Config) *Broker {
	t.Helper()
	b, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func embedded(t testing.TB) *Broker { return openAt(t, Config{Dir: t.TempDir()}) }

func message(id string) *broker.Message {
	return &broker.Message{Task: task.Task{ID: id, Name: "echo", Payload: []byte("payload of " + id)}, Pool: poolName}
}

func enqueue(t testing.TB, b *Broker, messages ...*broker.Message) {
	t.Helper()
	for i, err := range b.Enqueue(t.Context(), messages) {
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
}

func many(prefix string, n int) []*broker.Message {
	messages := make([]*broker.Message, n)
	for i := range messages {
		messages[i] = message(fmt.Sprintf("%s-%06d", prefix, i))
	}
	return messages
}

func lease(t testing.TB, b *Broker, n int) []*broker.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	leases, err := b.Lease(ctx, poolName, n)
	if err != nil {
		t.Fatalf("lease: %v", err)
	}
	return leases
}

// leaseN leases n tasks, by as many calls as it takes: what was stored a moment ago may be seen one after the other.
func leaseN(t testing.TB, b *Broker, n int) []*broker.Lease {
	t.Helper()
	var all []*broker.Lease
	for len(all) < n {
		all = append(all, lease(t, b, n-len(all))...)
	}
	return all
}

func completed(l *broker.Lease) broker.Answer {
	return broker.Answer{Lease: l, Result: &task.Result{Task: l.Task, Status: task.Completed, Payload: []byte("result of " + l.Task.ID), Started: 1}}
}

func ack(t testing.TB, b *Broker, leases ...*broker.Lease) {
	t.Helper()
	answers := make([]broker.Answer, len(leases))
	for i, l := range leases {
		answers[i] = completed(l)
	}
	for i, err := range b.Ack(t.Context(), answers) {
		if err != nil {
			t.Fatalf("ack %d: %v", i, err)
		}
	}
}

// nothing fails if there is something to be leased within a moment.
func nothing(t testing.TB, b *Broker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if leases, err := b.Lease(ctx, poolName, 10); err == nil {
		t.Fatalf("leased %s, delivery %d", leases[0].Task.ID, leases[0].Delivery)
	}
}

// await looks until something is there that says nothing when it comes.
func await(t testing.TB, what string, there func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for deadline := time.After(patience); !there(); {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("there is never %s", what)
		}
	}
}
