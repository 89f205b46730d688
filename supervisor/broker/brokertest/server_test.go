package brokertest_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/brokertest"
	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/task"
)

// The suite can be passed, all of it: by a broker in memory that plays a server for several
// clients, which come and go and lose their connections.
func TestSuiteCanBePassed(t *testing.T) {
	brokertest.Run(t, brokertest.Kit{Durable: true, Shared: true, New: newStore})
}

func newStore(t testing.TB, s brokertest.Settings) *brokertest.Store {
	server := &server{Broker: memory.New(memory.Config{
		LeaseTime: s.LeaseTime, ResultTTL: s.ResultTTL, QueueSize: s.QueueSize, ResultLimit: s.ResultLimit,
	})}
	server.Mend(t)
	t.Cleanup(func() { _ = server.Broker.Close() })
	return &brokertest.Store{Open: server.Open, Break: server.Break, Mend: server.Mend}
}

type server struct {
	*memory.Broker
	mu     sync.Mutex
	up     context.Context // ends when it breaks
	goDown context.CancelFunc
}

func (s *server) Mend(testing.TB) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up, s.goDown = context.WithCancel(context.Background())
}

func (s *server) Break(testing.TB) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.goDown()
}

func (s *server) Open(testing.TB) broker.Broker {
	open, closeIt := context.WithCancel(context.Background())
	return &client{server: s, open: open, closeIt: closeIt}
}

// client is a connection to the server.
type client struct {
	server  *server
	open    context.Context
	closeIt context.CancelFunc
	feeds   sync.WaitGroup
}

func (c *client) Close() error {
	c.closeIt()
	c.feeds.Wait()
	return nil
}

func (c *client) LeaseTime() time.Duration { return c.server.LeaseTime() }

func (c *client) Health() error {
	_, err := c.up()
	return err
}

func (c *client) up() (context.Context, error) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	switch {
	case c.open.Err() != nil:
		return nil, broker.ErrClosed
	case c.server.up.Err() != nil:
		return nil, broker.ErrUnavailable
	}
	return c.server.up, nil
}

// each is the error of a call for each of n.
func (c *client) each(n int, call func() []error) []error {
	err := c.Health()
	if err == nil {
		return call()
	}
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

func (c *client) single(call func() error) error {
	if err := c.Health(); err != nil {
		return err
	}
	return call()
}

func (c *client) Lease(ctx context.Context, pool string, n int) ([]*broker.Lease, error) {
	up, err := c.up()
	if err != nil {
		return nil, err
	}
	mine, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(up, cancel)()
	defer context.AfterFunc(c.open, cancel)()
	leases, err := c.server.Lease(mine, pool, n)
	switch {
	case len(leases) > 0:
		return leases, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case mine.Err() != nil:
		if err = c.Health(); err == nil {
			err = broker.ErrUnavailable
		}
	}
	return nil, err
}

func (c *client) Notices(ctx context.Context) (<-chan broker.Notice, error) {
	if err := c.Health(); err != nil {
		return nil, err
	}
	mine, cancel := context.WithCancel(ctx)
	context.AfterFunc(c.open, cancel)
	notices, err := c.server.Notices(mine)
	out := make(chan broker.Notice)
	c.feeds.Go(func() {
		defer cancel()
		defer close(out)
		for notice := range notices {
			select {
			case out <- notice:
			case <-mine.Done():
			}
		}
	})
	return out, err
}

func (c *client) OnResult(ctx context.Context, id string, f func(task.Result)) (func(), error) {
	if err := c.Health(); err != nil {
		return nil, err
	}
	return c.server.OnResult(ctx, id, func(r task.Result) {
		if c.open.Err() == nil {
			f(r)
		}
	})
}

func (c *client) Enqueue(ctx context.Context, messages []*broker.Message) []error {
	return c.each(len(messages), func() []error { return c.server.Enqueue(ctx, messages) })
}

func (c *client) Extend(ctx context.Context, leases []*broker.Lease) []error {
	return c.each(len(leases), func() []error { return c.server.Extend(ctx, leases) })
}

func (c *client) Ack(ctx context.Context, answers []broker.Answer) []error {
	return c.each(len(answers), func() []error { return c.server.Ack(ctx, answers) })
}

func (c *client) Begin(ctx context.Context, l *broker.Lease) error {
	return c.single(func() error { return c.server.Begin(ctx, l) })
}

func (c *client) Nack(ctx context.Context, l *broker.Lease, delay time.Duration) error {
	return c.single(func() error { return c.server.Nack(ctx, l, delay) })
}

func (c *client) Get(ctx context.Context, id string) (rec broker.Record, err error) {
	err = c.single(func() (err error) { rec, err = c.server.Get(ctx, id); return })
	return rec, err
}

func (c *client) Cancel(ctx context.Context, id string) error {
	return c.single(func() error { return c.server.Cancel(ctx, id) })
}

func (c *client) Dead(ctx context.Context, pool, after string, n int) (letters []broker.DeadLetter, next string, err error) {
	err = c.single(func() (err error) { letters, next, err = c.server.Dead(ctx, pool, after, n); return })
	return letters, next, err
}

func (c *client) DeadLetter(ctx context.Context, id string) (letter broker.DeadLetter, err error) {
	err = c.single(func() (err error) { letter, err = c.server.DeadLetter(ctx, id); return })
	return letter, err
}

func (c *client) Revive(ctx context.Context, id string) error {
	return c.single(func() error { return c.server.Revive(ctx, id) })
}

func (c *client) Bury(ctx context.Context, id string) error {
	return c.single(func() error { return c.server.Bury(ctx, id) })
}

func (c *client) Pause(ctx context.Context, pool string, paused bool) error {
	return c.single(func() error { return c.server.Pause(ctx, pool, paused) })
}

func (c *client) Counts(ctx context.Context, pool string) (counts broker.Counts, err error) {
	err = c.single(func() (err error) { counts, err = c.server.Counts(ctx, pool); return })
	return counts, err
}
