package jetstream

import (
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/brokertest"
)

// settled is a configuration as the suite asks for it.
func settled(s brokertest.Settings) Config {
	return Config{LeaseTime: s.LeaseTime, ResultTTL: s.ResultTTL, QueueSize: s.QueueSize, MaxResults: s.ResultLimit}
}

func TestEmbedded(t *testing.T) {
	brokertest.Run(t, brokertest.Kit{
		LeaseTime: time.Second,
		Durable:   true,
		New: func(t testing.TB, s brokertest.Settings) *brokertest.Store {
			cfg := settled(s)
			cfg.Dir = t.TempDir()
			return &brokertest.Store{Open: func(t testing.TB) broker.Broker { return opened(t, cfg) }}
		},
	})
}

// opened is a broker that the caller closes.
func opened(t testing.TB, cfg Config) *Broker {
	t.Helper()
	b, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
