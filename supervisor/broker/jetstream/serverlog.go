package jetstream

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// largePayloads is how the server begins to say that MaxMessage is large. It is meant to be, and an operator can do
// nothing about it.
const largePayloads = "Maximum payloads over "

// serverLog hands the log of an embedded server on and remembers the last error, which is all that
// a server that did not start says about it.
type serverLog struct {
	log hclog.Logger

	mu   sync.Mutex
	last string
}

func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l *serverLog) Debugf(format string, v ...any)  { l.log.Trace(fmt.Sprintf(format, v...)) }
func (l *serverLog) Tracef(format string, v ...any)  { l.log.Trace(fmt.Sprintf(format, v...)) }

func (l *serverLog) Warnf(format string, v ...any) {
	if strings.HasPrefix(format, largePayloads) {
		l.log.Debug(fmt.Sprintf(format, v...))
		return
	}
	l.log.Warn(fmt.Sprintf(format, v...))
}

func (l *serverLog) Errorf(format string, v ...any) {
	l.remember(format, v...)
	l.log.Error(fmt.Sprintf(format, v...))
}

// Fatalf does not end the process: whoever waits for the server sees that it did not start.
func (l *serverLog) Fatalf(format string, v ...any) { l.Errorf(format, v...) }

func (l *serverLog) remember(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = fmt.Sprintf(format, v...)
}

// failure is why a server did not start.
func (l *serverLog) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == "" {
		return errors.New("it did not start in time")
	}
	return errors.New(l.last)
}
