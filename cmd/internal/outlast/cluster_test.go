package outlast

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// lease of the servers that share NATS.
const lease = 2 * time.Second

// TestCluster has three servers share the work of three NATS nodes, all of which are killed and
// restarted in turn for the time FOR, never two nodes at a time; servers are also stopped for longer
// than their leases last.
func TestCluster(t *testing.T) {
	length, seed := lasting(t, "FOR", 8*time.Second), seed(t)
	book := filepath.Join(t.TempDir(), "book")
	nodes := newCluster(t, 3)
	daemons := make([]*daemon, 3)
	for i := range daemons {
		daemons[i] = newDaemon(t, fmt.Sprint("server-", i), book, "--nats", urls(nodes),
			"--workers", fmt.Sprint(workers), "--lease", lease.String(), "--backoff-base", "200ms")
		daemons[i].start()
	}
	l := newLedger()
	var turn atomic.Uint64
	load := &load{ledger: l, kinds: kinds(), seed: seed, named: true, every: 100 * time.Millisecond, to: func(int) *daemon {
		return daemons[turn.Add(1)%uint64(len(daemons))]
	}}
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	submitted := make(chan error, 1)
	go func() { submitted <- load.submit(ctx, 0) }()
	strikes := strikeInTurn(t, rand.New(rand.NewPCG(seed, 1000)), length, nodes, daemons, l)
	enough()
	if err := <-submitted; err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	results, err := l.results(t.Context(), daemons[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d strikes; %d acknowledged, %d calls without an answer, %d refused for their key; the last results took %v",
		strikes, len(l.items), l.failed, l.refused, time.Since(began))
	for _, d := range daemons {
		d.stop()
	}
	judged(t, l, results, book, strikes)
	storedOnce(t, "-nats", urls(nodes))
}

// strikeInTurn strikes nodes and servers until the time is over, one at a time, and returns how often.
func strikeInTurn(t *testing.T, rnd *rand.Rand, length time.Duration, nodes []*node, daemons []*daemon, l *ledger) (strikes int) {
	within := func(most time.Duration) time.Duration { return time.Duration(rnd.Int64N(int64(most))) }
	for end := time.Now().Add(length); time.Now().Before(end); strikes++ {
		pause(within(time.Second))
		d, n := daemons[rnd.IntN(len(daemons))], nodes[rnd.IntN(len(nodes))]
		switch what := strikes % 4; what {
		case 0, 2:
			n.p.kill()
			pause(within(lease))
			n.start()
			n.ready()
		case 1:
			d.kill()
			pause(within(2 * lease))
			d.start()
		case 3:
			p := d.process()
			p.signal(syscall.SIGSTOP)
			pause(lease + within(lease))
			p.signal(syscall.SIGCONT)
		}
		l.peek(t.Context(), d, rnd, 20)
	}
	return strikes
}
