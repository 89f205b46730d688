package supervisor

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/brood-run/brood/supervisor/internal/feed"
)

// Drain starts no more of the tasks that a broker keeps, gives back those that wait here, and
// returns when none runs and all results are stored, or ctx ends. It lasts until Undrain. The error is
// only ever ctx's, ErrNotStarted, ErrClosed or ErrNoBroker.
func (s *Supervisor) Drain(ctx context.Context) error {
	if _, err := s.running(); err != nil {
		return err
	}
	if s.cfg.Broker == nil {
		return ErrNoBroker
	}
	s.draining.Store(true)
	ctx, cancel := context.WithCancelCause(ctx)
	var stopped sync.WaitGroup
	stopped.Go(func() {
		select {
		case <-s.done:
			cancel(ErrClosed)
		case <-ctx.Done():
		}
	})
	defer stopped.Wait()
	defer cancel(nil)
	var all errgroup.Group
	s.eachFeed(func(f *feed.Feed) { all.Go(func() error { return f.Drain(ctx) }) })
	return all.Wait()
}

// Undrain starts tasks again after Drain.
func (s *Supervisor) Undrain() {
	s.draining.Store(false)
	s.eachFeed((*feed.Feed).Undrain)
}

// Draining says that Drain was called, and Undrain was not.
func (s *Supervisor) Draining() bool { return s.draining.Load() }

func (s *Supervisor) eachFeed(do func(*feed.Feed)) {
	s.eachPool(func(p *plugin) {
		if p.feed != nil {
			do(p.feed)
		}
	})
}

// settleGrace is how long a broker that is unavailable is waited for when the supervisor stops. What is
// not settled by then is leased again by somebody.
const settleGrace = 5 * time.Second

// closeFeeds ends the feeds when all that they hold is settled.
func (s *Supervisor) closeFeeds() {
	ctx, cancel := context.WithTimeout(context.Background(), settleGrace)
	defer cancel()
	var all errgroup.Group
	s.eachFeed(func(f *feed.Feed) {
		all.Go(func() error {
			if err := f.Close(ctx); err != nil {
				s.cfg.Logger.Error("the broker did not take back all tasks in time; their leases lapse", "held", f.Held())
			}
			return nil
		})
	})
	_ = all.Wait()
}
