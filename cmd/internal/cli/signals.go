package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signals are what people and service managers send to end a run.
type signals struct {
	c    chan os.Signal
	pipe chan os.Signal
}

// catchSignals takes over SIGINT and SIGTERM. SIGHUP, a lost
// terminal, counts as one of them. It catches SIGPIPE too and leaves it
// unread: a write to a closed pipe is then an error that can be reported. It
// is not ignored instead, because workers would inherit that.
func catchSignals() *signals {
	s := &signals{c: make(chan os.Signal, 4), pipe: make(chan os.Signal, 1)}
	signal.Notify(s.c, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup does, for who wants to go on
		signal.Notify(s.c, syscall.SIGHUP)
	}
	signal.Notify(s.pipe, syscall.SIGPIPE)
	return s
}

func (s *signals) release() {
	signal.Stop(s.c)
	signal.Stop(s.pipe)
}

// cancelling returns a context that the next signal cancels. The signal counts
// as taken. The returned function must be called.
func (s *signals) cancelling(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-s.c:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel()
		watch.Wait()
	}
}
