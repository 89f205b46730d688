package jetstream

import (
	"errors"
	"slices"
	"strings"
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

// A server without room can be reached, too.
func TestServerWithoutRoomIsNotHealthy(t *testing.T) {
	n := newNode(t, "one")
	n.options.JetStreamMaxStore = 4 << 20
	n.start(t)
	t.Cleanup(n.stop)
	b := openAt(t, Config{URL: n.url()})
	b.look(t.Context())
	if err := b.Health(); err != nil {
		t.Fatal(err)
	}
	stored := fillUp(t, b, "x")
	b.look(t.Context())
	if err := b.Health(); !errors.Is(err, broker.ErrUnavailable) || !strings.Contains(err.Error(), "insufficient") {
		t.Errorf("after %d tasks: %v", len(stored), err)
	}
	if err := b.js.DeleteStream(t.Context(), b.names.queueStream(poolName)); err != nil {
		t.Fatal(err)
	}
	b.look(t.Context())
	if err := b.Health(); err != nil {
		t.Errorf("with room: %v", err)
	}
}
