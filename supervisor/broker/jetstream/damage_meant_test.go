package jetstream

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/broker"
)

func blockOf(dir, stream string, n int) string {
	return filepath.Join(dir, "jetstream", "$G", "streams", stream, "msgs", fmt.Sprint(n, ".blk"))
}

// flip damages what a file says in a place, the last if it says it more than once.
func flip(t testing.TB, path, what string) {
	t.Helper()
	harm(t, path, func(data []byte) []byte {
		at := bytes.LastIndex(data, []byte(what))
		if at < 0 {
			t.Fatalf("%q is not in %s", what, path)
		}
		data[at+len(what)] ^= 1
		return data
	})
}

// A pool that may have been paused is: who paused it had a reason, and who resumes it looks at the log.
func TestDamagedPause(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, Config{Dir: dir})
	enqueue(t, b, many("a", 3)...)
	if err := b.Pause(t.Context(), poolName, true); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, blockOf(dir, "brood_p", 1), "brood.p.paused.p")
	var log transcript
	for range 2 { // the second time, nothing is damaged
		b = opened(t, Config{Dir: dir, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
		nothing(t, b)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Count(log.String(), "it is paused until it is resumed") != 1 || !strings.Contains(log.String(), "look at brood pools") {
		t.Error(log.String())
	}
}

// A task that was begun is not taken for a new one, though neither the queue nor the mark knows any more that it
// was leased.
func TestDamagedMark(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, Config{Dir: dir})
	once := message("once")
	once.Task.AtMostOnce = true
	enqueue(t, b, once)
	if err := b.Begin(t.Context(), lease(t, b, 1)[0]); err != nil {
		t.Fatal(err)
	}
	enqueue(t, b, message("fresh"))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, blockOf(dir, "brood_p", 1), "brood.p.mark.p.p0")
	harm(t, filepath.Join(filepath.Dir(blockOf(dir, "brood_q_p", 1)), "..", "obs", "p0", "o.dat"), harms["garbage"])
	b = openAt(t, Config{Dir: dir})
	for seen := 0; seen < 2; {
		for _, l := range lease(t, b, 2) {
			want := 0
			if l.Task.ID == "once" {
				want = 1
			}
			if l.History.Starts != want || l.Delivery != want+1 {
				t.Errorf("%s: delivery %d after %d starts", l.Task.ID, l.Delivery, l.History.Starts)
			}
			ack(t, b, l)
			seen++
		}
	}
}

// What is leased after the end of the queue's file was lost is not taken for what was leased before.
func TestMarkBeyondTheQueue(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, Config{Dir: dir})
	enqueue(t, b, many("a", 20)...)
	held := leaseN(t, b, 20)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	block := blockOf(dir, "brood_q_p", 1)
	harm(t, block, func(data []byte) []byte { // as after a power cut
		at, _ := recordOf(data, held[9].Task.ID)
		return data[:at]
	})
	harm(t, filepath.Join(filepath.Dir(block), "index.db"), harms["deleted"])
	b = openAt(t, Config{Dir: dir})
	enqueue(t, b, many("b", 5)...)
	deliveries := map[string]int{}
	for len(deliveries) < 14 {
		for _, l := range lease(t, b, 20) {
			deliveries[l.Task.ID] = l.Delivery
		}
	}
	for id, n := range deliveries {
		if (n == 1) != strings.HasPrefix(id, "b-") {
			t.Errorf("%s: delivery %d", id, n)
		}
	}
}

// The removal of a message that was lost does not remove another one that gets its place.
func TestRemovalOfWhatIsLost(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, Config{Dir: dir})
	enqueue(t, b, many("a", 20)...)
	ack(t, b, leaseN(t, b, 20)[15:]...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	block := blockOf(dir, "brood_q_p", 1)
	harm(t, block, func(data []byte) []byte {
		from, _ := recordOf(data, "a-000010")
		_, to := recordOf(data, "a-000019")
		clear(data[from:to])
		return data
	})
	index := filepath.Join(filepath.Dir(block), "index.db")
	harm(t, index, harms["deleted"])
	b = opened(t, Config{Dir: dir})
	enqueue(t, b, many("new", 20)...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	harm(t, index, harms["deleted"])
	b = openAt(t, Config{Dir: dir})
	if c, err := b.Counts(t.Context(), poolName); err != nil || c.Queued != 30 {
		t.Errorf("%+v, %v", c, err)
	}
}

// Files none of which can be read are not touched.
func TestFilesOfAnotherKind(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, Config{Dir: dir})
	enqueue(t, b, many("a", 5)...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	block := blockOf(dir, "brood_q_p", 1)
	harm(t, block, harms["garbage"])
	before, err := os.ReadFile(block)
	if err != nil {
		t.Fatal(err)
	}
	ends(t, func() {
		if b, err := Open(t.Context(), Config{Dir: dir}); err == nil {
			_ = b.Close()
			t.Error("it opened")
		} else if !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "move the directory away") {
			t.Error(err)
		}
	})
	if after, err := os.ReadFile(block); err != nil || !bytes.Equal(before, after) {
		t.Errorf("it was changed: %v", err)
	}
}

// What cannot be mended ends the start, and the error says which file it is.
func TestConfigurationThatNobodyKnows(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, Config{Dir: dir})
	m := message("a")
	m.Pool = "a pool whose name is long"
	enqueue(t, b, m)
	l, err := b.Lease(t.Context(), m.Pool, 1)
	if err != nil {
		t.Fatal(err)
	}
	if errs := b.Ack(t.Context(), []broker.Answer{completed(l[0])}); errs != nil {
		t.Fatal(errs)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	meta := filepath.Join(dir, "jetstream", "$G", "streams", names("brood").queueStream(m.Pool), "meta.inf")
	blocks, err := filepath.Glob(filepath.Join(filepath.Dir(meta), "msgs", "*.blk"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range blocks {
		harm(t, path, harms["emptied"])
	}
	harm(t, meta, harms["cut"])
	ends(t, func() {
		if b, err := Open(t.Context(), Config{Dir: dir}); err == nil {
			_ = b.Close()
			t.Error("it opened")
		} else if !strings.Contains(err.Error(), meta) || !strings.Contains(err.Error(), "move ") {
			t.Error(err)
		}
	})
}

// severalBlocks makes a data directory whose queue has 50 tasks in several files, and stops the server properly.
func severalBlocks(t *testing.T, dir string) {
	t.Helper()
	b := opened(t, Config{Dir: dir})
	for i := range 5 {
		messages := many(fmt.Sprint(i), 10)
		for _, m := range messages {
			m.Task.Payload = make([]byte, 500<<10)
		}
		enqueue(t, b, messages...)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// A whole file that is gone from the middle is told.
func TestMissingBlock(t *testing.T) {
	dir := t.TempDir()
	severalBlocks(t, dir)
	harm(t, blockOf(dir, "brood_q_p", 2), harms["deleted"])
	var log transcript
	b := openAt(t, Config{Dir: dir, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
	if text := log.String(); !strings.Contains(text, "[ERROR] nats: a file of messages is not there any more") || !strings.Contains(text, "[brood_q_p]") || !strings.Contains(text, "msg block 2") {
		t.Errorf("it said: %s", log.String())
	}
	c, err := b.Counts(t.Context(), poolName)
	if err != nil || c.Queued < 25 || c.Queued >= 50 {
		t.Errorf("%+v, %v", c, err)
	}
}

// The name of a data directory is no pattern.
func TestDamageUnderAnyName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]*[c")
	if err := opened(t, Config{Dir: dir}).Close(); err != nil {
		t.Fatal(err)
	}
	harm(t, filepath.Join(dir, "jetstream", "$G", "streams", "brood_r", "meta.inf"), harms["garbage"])
	var log transcript
	openAt(t, Config{Dir: dir, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
	if !strings.Contains(log.String(), "a configuration is damaged and was made again") {
		t.Errorf("it said: %s", log.String())
	}
}

// Only so many damaged files are kept.
func TestDamagedAgainAndAgain(t *testing.T) {
	dir := t.TempDir()
	if err := opened(t, Config{Dir: dir}).Close(); err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: dir}.withDefaults()
	e := &engine{cfg: cfg, log: cfg.Logger}
	meta := filepath.Join(dir, "jetstream", "$G", "streams", "brood_r", "meta.inf")
	for i := range 40 {
		harm(t, meta, func(data []byte) []byte { return binary.BigEndian.AppendUint64(data, uint64(i)) })
		if err := e.mend(); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadDir(filepath.Join(dir, "damaged", "brood_r"))
	if err != nil || len(kept) != 64 {
		t.Errorf("%d files are kept: %v", len(kept), err)
	}
	for _, f := range kept {
		if info, err := f.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}
