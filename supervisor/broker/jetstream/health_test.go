package jetstream

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/brood-run/brood/supervisor/broker"
)

// What is left of a cluster that has lost most of its servers can be reached, and does nothing.
func TestClusterThatIsNoneIsNotHealthy(t *testing.T) {
	nodes := cluster(t)
	b := openAt(t, Config{URL: urls(nodes), Timeout: time.Second})
	if err := b.Health(); err != nil {
		t.Fatal(err)
	}
	// One that leads finds out only after 10 to 20 s that nobody follows.
	left := slices.IndexFunc(nodes, func(n *node) bool {
		return !n.running.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, b.names.stream("r"))
	})
	gone := slices.Delete(slices.Clone(nodes), left, left+1)
	gone[0].stop()
	gone[1].stop()
	await(t, "an outage that is noticed", func() bool {
		b.look(t.Context())
		return errors.Is(b.Health(), broker.ErrUnavailable) && b.nc.IsConnected()
	})
	t.Log(b.Health())
	gone[0].start(t)
	await(t, "health", func() bool {
		b.look(t.Context())
		return b.Health() == nil
	})
}
