package outlast

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// promisedStart is how soon a server serves, whatever waits in its queue.
	promisedStart = 5 * time.Second
	probes        = 1000
)

// TestMillion has QUEUED tasks wait while their server is restarted, in order and after a kill, and
// measures what they cost.
func TestMillion(t *testing.T) {
	queued := setting(t, "QUEUED", 20_000)
	dir := t.TempDir()
	d := newDaemon(t, "server", filepath.Join(dir, "book"), "--data-dir", filepath.Join(dir, "data"), "--workers", "1")
	d.start()
	if err := d.call(t.Context(), "AdminService/PausePool", map[string]string{"pool": "tally"}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	t.Logf("empty: %s; submit %s", d.memory(), probe(t, d))
	began := time.Now()
	fill(t, d, queued)
	t.Logf("%d tasks queued in %v; %s; submit %s", queued, time.Since(began).Round(time.Millisecond), d.memory(), probe(t, d))
	for how, end := range map[string]func(){"clean": d.stop, "killed": d.kill} {
		end()
		took := d.start()
		t.Logf("%s: serves again after %v; %s; submit %s", how, took.Round(time.Millisecond), d.memory(), probe(t, d))
		if took > promisedStart {
			t.Errorf("%s: it took %v to start, more than %v", how, took, promisedStart)
		}
	}
	var all pools
	if err := d.call(t.Context(), "AdminService/ListPools", struct{}{}, &all); err != nil || all.left() != queued+4*probes {
		t.Errorf("%d tasks are there, %v; want %d", all.left(), err, queued+4*probes)
	}
	d.stop()
}

// fill queues tasks in batches.
func fill(t *testing.T, d *daemon, n int) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(submitters)
	for ; n > 0; n -= 1000 {
		request := batch{Tasks: slices.Repeat([]submission{{Task: "tally"}}, min(n, 1000))}
		group.Go(func() error { return d.call(ctx, "TaskService/SubmitBatch", request, &receipts{}) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// probe submits tasks one by one and says how long that takes.
func probe(t *testing.T, d *daemon) string {
	t.Helper()
	took := make([]time.Duration, probes)
	for i := range took {
		began := time.Now()
		if err := d.call(context.Background(), "TaskService/Submit", submission{Task: "tally"}, &receipt{}); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return fmt.Sprintf("p50 %v, p99 %v", took[probes/2], took[probes*99/100])
}

// memory is what the server occupies.
func (d *daemon) memory() string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.process().cmd.Process.Pid))
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(status)) {
		if rss, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return "RSS " + strings.TrimSpace(rss)
		}
	}
	return "RSS unknown"
}
