package jetstream

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/brokertest"
)

// settled is a configuration as the suite asks for it.
func settled(s brokertest.Settings) Config {
	return Config{LeaseTime: s.LeaseTime, ResultTTL: s.ResultTTL, QueueSize: s.QueueSize, MaxResults: s.ResultLimit}
}

// long is the variable that has each kind of server asked everything, which takes some minutes.
const long = "BROOD_TEST_LONG"

// extent says how much is asked of a kind of server: everything, or what is special about it.
func extent(k brokertest.Kit, special ...string) brokertest.Kit {
	k.Rounds, k.Groups = 6, special
	if os.Getenv(long) != "" {
		k.Rounds, k.Groups = 25, nil
	}
	return k
}

func TestEmbedded(t *testing.T) {
	brokertest.Run(t, extent(brokertest.Kit{
		LeaseTime: time.Second,
		Durable:   true,
		New: func(t testing.TB, s brokertest.Settings) *brokertest.Store {
			cfg := settled(s)
			cfg.Dir = t.TempDir()
			return &brokertest.Store{Open: func(t testing.TB) broker.Broker { return opened(t, cfg) }}
		},
	}))
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

func TestRemote(t *testing.T) {
	brokertest.Run(t, extent(brokertest.Kit{
		LeaseTime: time.Second,
		Durable:   true,
		Shared:    true,
		New: func(t testing.TB, s brokertest.Settings) *brokertest.Store {
			n := oneServer(t)
			cfg := settled(s)
			cfg.URL = n.url()
			return &brokertest.Store{
				Open:  func(t testing.TB) broker.Broker { return opened(t, cfg) },
				Break: func(testing.TB) { n.stop() },
				Mend:  func(t testing.TB) { n.start(t) },
			}
		},
	}, "shared", "outage"))
}

func TestCluster(t *testing.T) {
	nodes := cluster(t)
	var stores atomic.Int64
	brokertest.Run(t, extent(brokertest.Kit{
		LeaseTime: 2 * time.Second,
		Durable:   true,
		Shared:    true,
		New: func(t testing.TB, s brokertest.Settings) *brokertest.Store {
			cfg := settled(s)
			cfg.URL = urls(nodes)
			cfg.Namespace = fmt.Sprint("s", stores.Add(1))
			return &brokertest.Store{Open: func(t testing.TB) broker.Broker { return opened(t, cfg) }}
		},
	}, "shared"))
}
