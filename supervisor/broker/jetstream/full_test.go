package jetstream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/broker"
)

// smallDisk is a file system of a few megabytes.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", megabytes), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// ballast takes room on a disk until it is removed.
func ballast(t *testing.T, dir string, megabytes int) (remove func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	if err := os.WriteFile(name, make([]byte, megabytes<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// fillUp submits tasks until one is refused, and returns the ids of those that were stored.
func fillUp(t *testing.T, b *Broker, prefix string) []string {
	t.Helper()
	var stored []string
	for i := 0; ; i++ {
		m := message(fmt.Sprint(prefix, i))
		m.Task.Payload = make([]byte, 40_000)
		errs := b.Enqueue(t.Context(), []*broker.Message{m})
		if errs == nil {
			stored = append(stored, m.Task.ID)
			continue
		}
		if !errors.Is(errs[0], broker.ErrUnavailable) {
			t.Fatalf("after %d tasks: %v", i, errs[0])
		}
		return stored
	}
}

// A disk that is full is told, costs nothing that was acknowledged, and is written again soon after there is room.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, 48)
	var log lines
	b := openAt(t, Config{Dir: filepath.Join(disk, "data"), Timeout: 2 * time.Second, Logger: logger(&log, hclog.Warn)})
	rounds := []int{38, 28, 18}
	if os.Getenv(long) == "" {
		rounds = rounds[:1]
	}
	for round, megabytes := range rounds {
		prefix := fmt.Sprint("round", round, "-")
		enqueue(t, b, many(prefix+"held", 20)...)
		var held []*broker.Lease
		for len(held) < 20 {
			held = append(held, lease(t, b, 20-len(held))...)
		}
		ack(t, b, held[:10]...)
		held = held[10:]
		remove := ballast(t, disk, megabytes)
		stored := fillUp(t, b, prefix)
		if err := b.Health(); !errors.Is(err, broker.ErrUnavailable) || !strings.Contains(err.Error(), b.cfg.Dir) || !strings.Contains(err.Error(), "no space left on device") {
			t.Errorf("health on a full disk: %v", err)
		}
		tellsWhy(t, b, &log, held[0])
		remove()
		freed := time.Now()
		<-restored(t, b)
		t.Logf("%d tasks stored; back %v after there was room", len(stored), time.Since(freed).Round(time.Millisecond))
		leaseAll(t, b, held, stored)
	}
	if strings.Contains(log.String(), "lost, the rest") {
		t.Errorf("nothing was lost, and the log says\n%s", log.String())
	}
}

// tellsWhy makes sure that whoever calls a broker on a full disk hears of the disk, and that the log says once that nothing
// is leased.
func tellsWhy(t *testing.T, b *Broker, log *lines, held *broker.Lease) {
	t.Helper()
	calls := map[string]error{"pause": b.Pause(t.Context(), poolName, false)}
	if errs := b.Enqueue(t.Context(), []*broker.Message{message("none")}); errs != nil {
		calls["enqueue"] = errs[0]
	}
	_, calls["counts"] = b.Counts(t.Context(), poolName)
	_, calls["get"] = b.Get(t.Context(), "none")
	if errs := b.Ack(t.Context(), []broker.Answer{completed(held)}); errs != nil {
		calls["ack"] = errs[0]
	}
	calls["nack"], calls["begin"] = b.Nack(t.Context(), held, 0), b.Begin(t.Context(), held)
	calls["cancel"], calls["revive"], calls["bury"] = b.Cancel(t.Context(), "none"), b.Revive(t.Context(), "none"), b.Bury(t.Context(), "none")
	_, _, calls["dead"] = b.Dead(t.Context(), poolName, "", 1)
	_, calls["letter"] = b.DeadLetter(t.Context(), "none")
	for call, err := range calls {
		if !errors.Is(err, broker.ErrUnavailable) || !strings.Contains(err.Error(), "no space left on device") {
			t.Errorf("%s on a full disk: %v", call, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	before := len(log.String())
	if leases, err := b.Lease(ctx, poolName, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("lease on a full disk: %v, %v", leases, err)
	}
	said := ""
	for line := range strings.Lines(log.String()[before:]) {
		_, text, is := strings.Cut(line, "no tasks are leased")
		if is && text == said {
			t.Errorf("it is logged again that no tasks are leased%s", text)
		}
		if is {
			said = text
		}
	}
	if !strings.Contains(said, "no space left on device") {
		t.Errorf("the log says of leases: %q", said)
	}
}

// leaseAll answers what is held, and leases and answers all that is left: each task once, and of those that were stored
// none is missing.
func leaseAll(t *testing.T, b *Broker, held []*broker.Lease, stored []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, l := range held {
		seen[l.Task.ID] = true
	}
	ack(t, b, held...)
	for {
		counts, err := b.Counts(t.Context(), poolName)
		if err != nil {
			t.Fatal(err)
		}
		if counts.Queued+counts.Leased == 0 {
			break
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		leases, _ := b.Lease(ctx, poolName, 10) // or there is nothing, and what was answered is still counted
		cancel()
		for _, l := range leases {
			if seen[l.Task.ID] {
				t.Errorf("%s is leased again (delivery %d)", l.Task.ID, l.Delivery)
			}
			seen[l.Task.ID] = true
			ack(t, b, l)
		}
	}
	for _, id := range stored {
		if !seen[id] {
			t.Errorf("%s is lost", id)
		}
	}
}
