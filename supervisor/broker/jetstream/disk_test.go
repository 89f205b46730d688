package jetstream

import (
	"bytes"
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

// A block that is damaged costs the tasks that are damaged, and no others; the log names them.
func TestDamagedBlock(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, Config{Dir: dir})
	enqueue(t, b, many("a", 50)...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "brood_q_p", "msgs", "*.blk"))
	if err != nil || len(blocks) != 1 {
		t.Fatalf("no blocks: %v", err)
	}
	original, err := os.ReadFile(blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	harm(t, blocks[0], func(data []byte) []byte {
		at := bytes.Index(data, []byte("payload of a-000025"))
		for i := at; i < at+10; i++ {
			data[i] ^= 0xff
		}
		return data
	})
	damaged, err := os.ReadFile(blocks[0])
	if err != nil || bytes.Equal(original, damaged) {
		t.Fatal("nothing is damaged", err)
	}
	var log transcript
	b = openAt(t, Config{Dir: dir, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
	for _, word := range []string{
		"[ERROR]", "is damaged", blocks[0], "sequences=26-26", "lost=1 which=brood.q.p.p0.a-000025", "put_aside=" + filepath.Join(dir, "damaged", "brood_q_p", "1.blk."),
	} {
		if !strings.Contains(log.String(), word) {
			t.Errorf("%q is not in the log: %s", word, log.String())
		}
	}
	aside, err := filepath.Glob(filepath.Join(dir, "damaged", "brood_q_p", "*"))
	if err != nil || len(aside) != 1 {
		t.Fatalf("%q: %v", aside, err)
	}
	if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, damaged) {
		t.Errorf("the file that was put aside is another: %v", err)
	}
	enqueue(t, b, message("new"))
	left := map[string]bool{}
	for len(left) < 50 {
		for _, l := range lease(t, b, 100) {
			left[l.Task.ID] = true
		}
	}
	for _, m := range append(many("a", 50), message("new")) {
		if left[m.Task.ID] == (m.Task.ID == "a-000025") {
			t.Errorf("%s is there: %t", m.Task.ID, left[m.Task.ID])
		}
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
