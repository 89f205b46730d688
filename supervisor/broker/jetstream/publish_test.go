package jetstream

import (
	"errors"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// Answers that are lost keep nobody for ever, not even who has no deadline, nor the room that the others need.
func TestAnswersThatAreLost(t *testing.T) {
	b := openAt(t, Config{Dir: t.TempDir(), Timeout: 300 * time.Millisecond})
	enqueue(t, b, message("x"))
	mute(t, b, true)
	const calls = 2 * chunks
	done := make(chan []error, calls)
	for range calls {
		go func() { done <- b.publish(t.Context(), []outgoing{{subject: b.markSubject("other", 0)}}) }()
	}
	for range calls {
		select {
		case errs := <-done:
			if errs == nil || !errors.Is(errs[0], broker.ErrUnavailable) {
				t.Errorf("nobody answered: %v", errs)
			}
		case <-time.After(patience):
			t.Fatal("it waits for an answer that does not come")
		}
	}
	leased := make(chan error, 1)
	go func() {
		_, err := b.Lease(t.Context(), poolName, 1) // stores a mark
		leased <- err
	}()
	b.awaitPending(t)
	mute(t, b, false)
	select {
	case err := <-leased:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("nothing is leased once there are answers again")
	}
}

// mute has the server store marks without a word, as if its answers were lost, or not.
func mute(t *testing.T, b *Broker, on bool) {
	t.Helper()
	s, err := b.js.Stream(t.Context(), b.names.stream("p"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	cfg.NoAck = on
	if _, err := b.js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
}

// awaitPending waits until something that was stored has no answer.
func (b *Broker) awaitPending(t *testing.T) {
	t.Helper()
	await(t, "a message without an answer", func() bool {
		b.publisher.mu.Lock()
		defer b.publisher.mu.Unlock()
		return len(b.calls) > 0
	})
}
