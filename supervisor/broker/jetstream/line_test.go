package jetstream

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// Whoever waits for an answer is told at once that none will come.
func TestWhoWaitsIsToldThatTheConnectionIsGone(t *testing.T) {
	for how, want := range map[string]error{"closed": broker.ErrClosed, "lost": broker.ErrUnavailable, "silent": broker.ErrUnavailable} {
		t.Run(how, func(t *testing.T) {
			sent := make(chan string, 1000)
			var silent atomic.Bool
			p := newProxy(t, strings.TrimPrefix(oneServer(t).url(), "nats://"), func(up bool, data []byte) fate {
				if !silent.Load() {
					return pass
				}
				if up {
					sent <- string(data)
				}
				return drop
			})
			cfg := Config{URL: "nats://" + p.address(), Timeout: time.Hour}
			if how == "silent" {
				cfg.Timeout = 2 * time.Second
			}
			b := openAt(t, cfg)
			silent.Store(true)
			ended := inFlight(t, b, sent)
			switch how {
			case "closed":
				b.nc.Close()
			case "lost":
				silent.Store(false)
				p.hangUp()
			}
			defer silent.Store(false)
			for range cap(ended) {
				select {
				case err := <-ended:
					if !errors.Is(err, want) {
						t.Error(err)
					}
				case <-time.After(patience):
					t.Fatal("somebody still waits")
				}
			}
		})
	}
}

// inFlight makes one request of each kind, which are on their way when it returns. The channel has room for what becomes
// of each.
func inFlight(t *testing.T, b *Broker, sent <-chan string) <-chan error {
	place := b.names.result("x")
	calls := map[string]func() error{
		"$JS.API.DIRECT":         func() error { return b.lastsNearby(t.Context(), b.names.stream("r"), []string{place}, func(stored) {}) },
		"$JS.API.STREAM.MSG.GET": func() error { return b.fromLeader(t.Context(), b.names.stream("r"), []string{place}, func(stored) {}) },
		"$JS.API.STREAM.INFO":    func() error { return b.trim(t.Context()) },
		place:                    func() error { return b.publish(t.Context(), []outgoing{{subject: place}})[0] },
	}
	ended := make(chan error, len(calls))
	for subject, call := range calls {
		go func() { ended <- call() }()
		for !strings.Contains(<-sent, subject) {
		}
	}
	return ended
}
