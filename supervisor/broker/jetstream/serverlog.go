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

// How the server says that it reads messages again because an index is older than they are, or is not there: after a
// SIGKILL, and wherever indices that cannot be trusted were removed. Nothing is lost.
const (
	outdated = "state is outdated; attempting to recover"
	rebuilds = "Stream state outdated, "
	prior    = "errored: prior state file"
)

// noBlock is how the server says that an index knows a file that is not there. It removes a file by itself when no message
// is left in it, and writes the index when it is stopped: only then is a file that is not there one that is lost.
const noBlock = "could not locate msg block"

// writeFailed is how the server says that a stream cannot be written. From then on it neither stores nor answers what
// it is sent for that stream, and says so nowhere else.
const writeFailed = "critical write error: "

// serverLog hands the log of an embedded server on and remembers the last error, which is all that
// a server that did not start says about it, and why it cannot write.
type serverLog struct {
	log   hclog.Logger
	exact bool // the indices are: the server before it was stopped properly

	mu    sync.Mutex
	last  string
	fatal bool  // the server is never ready
	write error // the first error of writing
}

func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l *serverLog) Debugf(format string, v ...any)  { l.log.Trace(fmt.Sprintf(format, v...)) }
func (l *serverLog) Tracef(format string, v ...any)  { l.log.Trace(fmt.Sprintf(format, v...)) }

func (l *serverLog) Warnf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	switch {
	case strings.HasPrefix(format, largePayloads), strings.Contains(text, outdated),
		strings.Contains(text, rebuilds), strings.Contains(text, prior), strings.Contains(text, noBlock) && !l.exact:
		l.log.Debug(text)
	case strings.Contains(text, noBlock):
		l.log.Error("a file of messages is not there any more: what was in it is lost, the rest is served", "server", text)
	case strings.Contains(text, "corrupt"):
		l.log.Error("files are damaged: what could not be read of them is lost, the rest is served", "server", text)
	default:
		l.log.Warn(text)
	}
}

func (l *serverLog) Errorf(format string, v ...any) {
	l.remember(format, v...)
	l.log.Error(fmt.Sprintf(format, v...))
}

// Fatalf does not end the process: whoever waits for the server sees that it did not start.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.Errorf(format, v...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatal = true
}

// gaveUp says that the server ended its start by itself. Waiting for it would take all of startTimeout.
func (l *serverLog) gaveUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

func (l *serverLog) remember(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = fmt.Sprintf(format, v...)
	if at := strings.Index(strings.ToLower(l.last), writeFailed); at >= 0 && l.write == nil {
		l.write = errors.New(l.last[at+len(writeFailed):])
	}
}

// writeError is why the server cannot write any more, nil if it can.
func (l *serverLog) writeError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.write
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
