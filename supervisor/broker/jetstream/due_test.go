package jetstream

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// Tasks whose time has come do not wait for what has to be found out about those that expire.
func TestExpiryKeepsNoTaskWaiting(t *testing.T) {
	cfg := Config{URL: oneServer(t).url()}
	holder, b := opened(t, cfg), openAt(t, cfg)
	expiring := many("x", 60)
	for _, m := range expiring {
		m.Expires = time.Now().Add(time.Hour)
	}
	enqueue(t, holder, expiring...)
	lease(t, holder, len(expiring))
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	silent, err := nats.Connect(cfg.URL) // is asked who holds them, and has each question wait for an answer
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if _, err := silent.Subscribe(b.names.subject("x", "held", "*"), func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	if err := silent.Flush(); err != nil {
		t.Fatal(err)
	}
	var out []outgoing
	for _, m := range expiring {
		data, err := encode(&storepb.Task{Id: m.Task.ID, Pool: m.Pool, Expires: stamp(m.Expires)})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, outgoing{subject: b.names.timed(due, expiry, m.Pool, m.Task.ID), data: data})
	}
	m := message("later")
	m.Task.Priority, m.Submitted, m.NotBefore = 100, time.Now(), time.Now()
	data, err := b.encodeTask(m)
	if err != nil {
		t.Fatal(err)
	}
	out = append(out, outgoing{subject: b.names.timed(due, delays, m.Pool, m.Task.ID), data: data})
	if errs := b.publish(t.Context(), out); errs != nil {
		t.Fatal(errs)
	}
	if l := lease(t, b, 1); l[0].Task.ID != "later" {
		t.Fatalf("leased %s", l[0].Task.ID)
	}
	left, err := b.count(t.Context(), b.names.stream("t"), b.names.subject("t", due, expiry, "*", "*"))
	if err != nil || left == 0 {
		t.Errorf("the task came after all that expired: %d left, %v", left, err)
	}
}
