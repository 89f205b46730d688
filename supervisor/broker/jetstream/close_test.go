package jetstream

import (
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// ends fails if f does not.
func ends(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}

func TestCloseOfAConnectionThatIsClosed(t *testing.T) {
	b := openAt(t, Config{URL: oneServer(t).url()})
	b.nc.Close()
	b.peers.Close()
	ends(t, func() { _ = b.Close() }) // never fails
}

func TestCloseByManyAtOnce(t *testing.T) {
	b := openAt(t, Config{URL: oneServer(t).url()})
	ends(t, func() {
		var closing sync.WaitGroup
		for range 8 {
			closing.Go(func() {
				if err := b.Close(); err != nil || !b.nc.IsClosed() {
					t.Errorf("it has not ended when Close returns: %v", err)
				}
			})
		}
		closing.Wait()
	})
}

// A server that turns a broker down for a while, as when passwords change, has it back when it changes its mind.
func TestServerThatTurnsUsDownForAWhile(t *testing.T) {
	n := newNode(t, "one")
	n.options.Username, n.options.Password = "u", "sesame"
	n.start(t)
	t.Cleanup(func() { n.stop() })
	b := openAt(t, Config{URL: n.url(), User: "u", Password: "sesame"})
	enqueue(t, b, message("x"))
	n.stop()
	n.options.Password = "other"
	n.start(t)
	turnedDown(t, n, 4)
	n.stop()
	n.options.Password = "sesame"
	n.start(t)
	ack(t, b, lease(t, b, 1)...)
}

// turnedDown waits until a server has seen so many connections that came to nothing.
func turnedDown(t *testing.T, n *node, times uint64) {
	t.Helper()
	await(t, "a connection that is turned down", func() bool {
		v, err := n.running.Varz(&server.VarzOptions{})
		return err == nil && v.TotalConnections >= times
	})
}
