package jetstream

import (
	"bytes"
	"errors"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// A task that is given back while the connection is lost is given back once, however often that is said, and with
// its history.
func TestGivenBackWithoutAnAnswer(t *testing.T) {
	for name, when := range map[string]struct {
		written string
		fate    fate
	}{
		"its state does not arrive":     {"PUB brood.s.p.x ", cut},
		"its state arrives":             {"PUB brood.s.p.x ", last},
		"the server is not told":        {"-NAK", cut},
		"the server is told and silent": {"-NAK", last},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var armed atomic.Bool
			u, err := url.Parse(oneServer(t).url())
			if err != nil {
				t.Fatal(err)
			}
			road := newProxy(t, u.Host, func(up bool, data []byte) fate {
				if up && bytes.Contains(data, []byte(when.written)) && armed.CompareAndSwap(true, false) {
					return when.fate
				}
				return pass
			})
			b := openAt(t, Config{URL: "nats://" + road.address(), LeaseTime: 5 * time.Second, Timeout: time.Second})
			enqueue(t, b, message("x"))
			l := lease(t, b, 1)[0]
			l.History = broker.History{Starts: 1}
			armed.Store(true)
			for err = b.Nack(t.Context(), l, 0); errors.Is(err, broker.ErrUnavailable); err = b.Nack(t.Context(), l, 0) {
				await(t, "a connection", func() bool { return b.Health() == nil })
			}
			if err != nil || armed.Load() {
				t.Fatalf("given back: %v; cut: %v", err, !armed.Load())
			}
			await(t, "a connection", func() bool { return b.Health() == nil })
			again := lease(t, b, 1)[0]
			if again.Delivery != 2 || again.History.Starts != 1 || len(again.History.Attempts) != 0 {
				t.Errorf("leased again as delivery %d after %d starts, %v", again.Delivery, again.History.Starts, again.History.Attempts)
			}
			ack(t, b, again)
			nothing(t, b)
		})
	}
}
