package serve

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Signals are what people and service managers send to a daemon. Create them with Catch.
type Signals struct {
	stop   chan os.Signal
	reload chan os.Signal
	pipe   chan os.Signal
}

// Catch takes over the signals; Release them. A daemon does it before anything that takes time, so that a
// SIGHUP that comes early is kept for Run. SIGPIPE is caught and left unread: a message that nobody
// reads any more is no reason to end. It is not ignored instead, because workers would inherit that.
func Catch() *Signals {
	s := &Signals{stop: make(chan os.Signal, 2), reload: make(chan os.Signal, 1), pipe: make(chan os.Signal, 1)}
	signal.Notify(s.stop, os.Interrupt, syscall.SIGTERM)
	signal.Notify(s.reload, syscall.SIGHUP)
	signal.Notify(s.pipe, syscall.SIGPIPE)
	return s
}

// Release gives the signals back.
func (s *Signals) Release() {
	signal.Stop(s.stop)
	signal.Stop(s.reload)
	signal.Stop(s.pipe)
}

// Until calls do with a context that SIGTERM or SIGINT cancels, and says whether one of them came.
func (s *Signals) Until(ctx context.Context, do func(context.Context) error) (stopped bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	came := make(chan bool, 1)
	go func() {
		select {
		case <-s.stop:
			came <- true
			cancel()
		case <-ctx.Done():
			came <- false
		}
	}()
	err = do(ctx)
	cancel()
	return <-came, err
}
