package serve

import (
	"os"
	"os/signal"
	"syscall"
)

// signals are what people and service managers send to a daemon.
type signals struct {
	stop   chan os.Signal
	reload chan os.Signal
	pipe   chan os.Signal
}

// catch takes over the signals. SIGPIPE is caught and left unread: a message that nobody reads any more
// is no reason to end. It is not ignored instead, because workers would inherit that.
func catch() *signals {
	s := &signals{stop: make(chan os.Signal, 2), reload: make(chan os.Signal, 1), pipe: make(chan os.Signal, 1)}
	signal.Notify(s.stop, os.Interrupt, syscall.SIGTERM)
	signal.Notify(s.reload, syscall.SIGHUP)
	signal.Notify(s.pipe, syscall.SIGPIPE)
	return s
}

func (s *signals) release() {
	signal.Stop(s.stop)
	signal.Stop(s.reload)
	signal.Stop(s.pipe)
}
