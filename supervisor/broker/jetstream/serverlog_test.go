package jetstream

import (
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// lines is what was written, by any number of writers.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func logger(l *lines, level hclog.Level) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: l, Level: level})
}

// A server that starts has nothing to say to an operator, and all it says is there for who asks.
func TestStartIsQuiet(t *testing.T) {
	var warnings, everything lines
	for _, log := range []hclog.Logger{logger(&warnings, hclog.Info), logger(&everything, hclog.Debug)} {
		if err := opened(t, Config{Dir: t.TempDir(), Logger: log}).Close(); err != nil {
			t.Fatal(err)
		}
	}
	if warnings.String() != "" {
		t.Errorf("logged at the start:\n%s", warnings.String())
	}
	if !strings.Contains(everything.String(), "[DEBUG] nats: "+largePayloads) {
		t.Errorf("the server's warning is nowhere:\n%s", everything.String())
	}
}

func TestOtherWarningsAreHandedOn(t *testing.T) {
	var warnings lines
	log := &serverLog{log: logger(&warnings, hclog.Info)}
	log.Warnf(largePayloads+"%v are generally discouraged", 8)
	log.Warnf("Filestore [%s] TTL state is outdated; attempting to recover using linear scan (seq %d to %d)", "brood_s", 1, 2)
	log.Warnf("Filestore [%s] Stream state outdated, found extra blocks, will rebuild", "brood_s")
	log.Warnf("the disk is %s", "slow")
	if got := warnings.String(); !strings.HasSuffix(got, "[WARN]  the disk is slow\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("logged %q", got)
	}
}
