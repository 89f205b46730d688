package jetstream

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/broker"
)

// A server that cannot write any more is replaced by one that can, with everything that was acknowledged.
func TestServerGivesUpAndIsReplaced(t *testing.T) {
	b := embedded(t)
	enqueue(t, b, many("a", 100)...)
	held := lease(t, b, 10)
	b.engine.mu.Lock()
	s := b.engine.server
	b.engine.mu.Unlock()
	if err := s.ShutdownJetStream(); err != nil { // as it does by itself when the disk is full
		t.Fatal(err)
	}
	if err := b.Health(); !errors.Is(err, broker.ErrUnavailable) || !strings.Contains(err.Error(), "cannot write to "+b.cfg.Dir) {
		t.Errorf("health of a broker that cannot write: %v", err)
	}
	<-restored(t, b)
	ack(t, b, held...)
	for seen := 10; seen < 100; {
		leases := lease(t, b, 100)
		ack(t, b, leases...)
		seen += len(leases)
	}
	nothing(t, b)
}

// restored is closed when the broker is healthy again.
func restored(t *testing.T, b *Broker) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for t.Context().Err() == nil && b.Health() != nil {
			_ = b.nc.Flush() // takes as long as the server is away, or no time
		}
	}()
	return done
}

func TestDirectoryThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, "/proc/brood", "/sys"} {
		b, err := Open(t.Context(), Config{Dir: dir})
		if err == nil {
			_ = b.Close()
		}
		if err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("data directory %s: %v", dir, err)
		}
	}
}

// A server whose files cannot be used says so at once.
func TestServerThatDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "jetstream"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ends(t, func() {
		if b, err := Open(t.Context(), Config{Dir: dir}); err == nil {
			_ = b.Close()
			t.Error("it opened on a file")
		} else if !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "JetStream") {
			t.Error(err)
		}
	})
}

// A block that is damaged costs what was in it, and no more.
func TestDamagedBlock(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, Config{Dir: dir})
	enqueue(t, b, many("a", 50)...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "brood_q_p", "msgs", "*.blk"))
	if err != nil || len(blocks) == 0 {
		t.Fatalf("no blocks: %v", err)
	}
	data, err := os.ReadFile(blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := len(data) / 2; i < len(data)/2+40; i++ {
		data[i] ^= 0xff
	}
	if err := os.WriteFile(blocks[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	var log transcript
	b = openAt(t, Config{Dir: dir, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
	if !strings.Contains(log.String(), "files are damaged") {
		t.Errorf("nothing is said of the damage: %q", log.String())
	}
	enqueue(t, b, message("new"))
	if l := lease(t, b, 100); len(l) == 0 {
		t.Error("nothing is left")
	} else {
		t.Logf("%d of 51 are left", len(l))
	}
}

// transcript is a log that is read while others write to it.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
