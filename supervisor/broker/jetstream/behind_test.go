package jetstream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// hold is how long a server is kept behind the others: shorter than it takes them to do without it.
const hold = time.Second

// laggard is a cluster of which one server hears from the others through proxies that can be held.
type laggard struct {
	nodes []*node // the last one lags
	gate  sync.RWMutex
}

func newLaggard(t *testing.T) *laggard {
	c := &laggard{}
	local := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	for i := range 3 {
		n := newNode(t, fmt.Sprint("n", i))
		n.options.Cluster = server.ClusterOpts{Name: "three", Host: "127.0.0.1", Port: freePort(t)}
		c.nodes = append(c.nodes, n)
	}
	slow := c.nodes[2]
	held := func(inward bool) func(bool, []byte) fate {
		return func(up bool, _ []byte) fate {
			if up == inward {
				c.gate.RLock()
				defer c.gate.RUnlock()
			}
			return pass
		}
	}
	slow.options.Cluster.Advertise = newProxy(t, local(slow.options.Cluster.Port), held(true)).address()
	for _, n := range c.nodes[:2] {
		n.options.Routes = append(n.options.Routes, &url.URL{Scheme: "nats", Host: local(c.nodes[0].options.Cluster.Port)})
		slow.options.Routes = append(slow.options.Routes, &url.URL{Scheme: "nats", Host: newProxy(t, local(n.options.Cluster.Port), held(false)).address()})
	}
	for _, n := range c.nodes {
		n.start(t)
		t.Cleanup(n.stop)
	}
	awaitLeader(t, c.nodes)
	return c
}

// behind holds the last server back while f does something through the others.
func (c *laggard) behind(t *testing.T, f func()) (catchUp func()) {
	c.gate.Lock()
	catchUp = sync.OnceFunc(c.gate.Unlock)
	t.Cleanup(catchUp)
	f()
	return catchUp
}

// follow waits until others than the last server lead the streams.
func (c *laggard) follow(t *testing.T, streams ...string) {
	t.Helper()
	leads := func(n *node, stream string) bool {
		return n.running.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream)
	}
	for _, s := range streams {
		await(t, "another leader", func() bool {
			if slow := c.nodes[2]; leads(slow, s) {
				_ = slow.running.JetStreamStepdownStream(server.DEFAULT_GLOBAL_ACCOUNT, s) // it is asked again
			}
			return leads(c.nodes[0], s) || leads(c.nodes[1], s)
		})
	}
}

// answers waits until the last server answers by itself what is asked of the streams: it takes its time before it does.
func (c *laggard) answers(t *testing.T, b *Broker, streams ...string) {
	t.Helper()
	for _, s := range streams {
		await(t, "an answer", func() (answered bool) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			c.behind(t, func() {
				answered = b.lastsNearby(ctx, s, []string{b.names.result("nobody")}, func(stored) {}) == nil
			})()
			return answered
		})
	}
}

// What was acknowledged is known to whoever asks a server that has not heard of it yet.
func TestServerIsBehind(t *testing.T) {
	c := newLaggard(t)
	fast, slow := openAt(t, Config{URL: c.nodes[0].url()}), openAt(t, Config{URL: c.nodes[2].url(), Timeout: 10 * time.Second})
	enqueue(t, fast, message("done"), message("dead"), message("buried"))
	if _, err := slow.pool(t.Context(), poolName); err != nil {
		t.Fatal(err)
	}
	streams := []string{slow.names.stream("r"), slow.names.stream("d"), slow.names.stream("t"), slow.names.queueStream(poolName)}
	c.follow(t, streams...)
	c.answers(t, slow, streams...)
	leases := leaseN(t, fast, 3)
	died := func(l *broker.Lease) broker.Answer {
		a := completed(l)
		a.Result.Status = task.Dead
		return a
	}
	if errs := fast.Ack(t.Context(), []broker.Answer{died(leases[2])}); errs != nil {
		t.Fatal(errs)
	}
	await(t, "a letter", func() bool {
		letters := 0
		count := func(stored) { letters++ }
		return slow.lastsNearby(t.Context(), slow.names.stream("d"), []string{slow.names.letter(poolName, "buried")}, count) == nil && letters == 1
	})
	catchUp := c.behind(t, func() {
		if errs := fast.Ack(t.Context(), []broker.Answer{completed(leases[0]), died(leases[1])}); errs != nil {
			t.Fatal(errs)
		}
		if err := fast.Bury(t.Context(), "buried"); err != nil {
			t.Fatal(err)
		}
	})
	e := &enqueuing{b: slow, messages: []*broker.Message{message("done"), message("new")}, errs: make([]error, 2)}
	var (
		work    sync.WaitGroup
		seen    map[string]*past
		letters []broker.DeadLetter
		errs    [2]error
	)
	work.Go(func() { e.known(t.Context()) })
	work.Go(func() { seen, errs[0] = slow.past(t.Context(), poolName, []*claim{leases[0].Token.(*claim)}) })
	work.Go(func() { letters, _, errs[1] = slow.Dead(t.Context(), poolName, "", 10) })
	time.AfterFunc(hold, catchUp)
	work.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(e.errs[0], broker.ErrDuplicate) || e.errs[1] != nil {
		t.Errorf("a finished and a new task: %v", e.errs)
	}
	if seen["done"].result == nil {
		t.Error("a task that has its result would be handed out")
	}
	if len(letters) != 1 || letters[0].Message.Task.ID != "dead" {
		t.Errorf("dead letters are %v, want the one that died", letters)
	}
}
