package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// furnished is a data directory in which there is something of everything, of a server that was closed and of
// one that was killed.
func furnished(t *testing.T) (closed, killed string) {
	t.Helper()
	closed, killed = t.TempDir(), t.TempDir()
	b := opened(t, Config{Dir: closed})
	enqueue(t, b, many("done", 20)...)
	leases := leaseN(t, b, 20)
	ack(t, b, leases[:15]...)
	dead := completed(leases[15])
	dead.Result.Status, dead.Result.Err = task.Dead, &task.Error{Kind: "error", Message: "it failed"}
	if errs := b.Ack(t.Context(), []broker.Answer{dead}); errs != nil {
		t.Fatal(errs)
	}
	retried := leases[16]
	retried.History.Starts = 1
	if err := b.Nack(t.Context(), retried, time.Hour); err != nil {
		t.Fatal(err)
	}
	urgent := many("urgent", 5)
	for _, m := range urgent {
		m.Task.Priority = 5
	}
	enqueue(t, b, append(many("later", 30), urgent...)...)
	delayed := message("delayed")
	delayed.NotBefore = time.Now().Add(time.Hour)
	once := message("once")
	once.UniqueKey, once.UniqueTTL = "key", time.Hour
	enqueue(t, b, delayed, once)
	elsewhere := message("elsewhere")
	elsewhere.Pool = "a pool with a long name"
	enqueue(t, b, elsewhere)
	if err := b.Pause(t.Context(), elsewhere.Pool, true); err != nil {
		t.Fatal(err)
	}
	copyDir(t, closed, killed)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return closed, killed
}

// copyDir copies a directory as it is, to one that is empty. What a server is just writing may be gone again: then it begins anew.
func copyDir(t testing.TB, from, to string) {
	t.Helper()
	err := fs.ErrNotExist
	for errors.Is(err, fs.ErrNotExist) {
		if err = os.RemoveAll(to); err == nil {
			err = os.CopyFS(to, os.DirFS(from))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// missing is what of a furnished directory is not there any more.
func missing(t *testing.T, b *Broker) (what []string) {
	t.Helper()
	lack := func(format string, v ...any) { what = append(what, fmt.Sprintf(format, v...)) }
	state := func(id string, want task.State) {
		if r, err := b.Get(t.Context(), id); err != nil || r.State != want {
			lack("%s is %q, not %q: %v", id, r.State, want, err)
		} else if id == "done-000016" && r.Message.History.Starts != 1 {
			lack("%s has history %+v", id, r.Message.History)
		}
	}
	for i := range 15 {
		state(fmt.Sprintf("done-%06d", i), task.StateCompleted)
	}
	state("done-000015", task.StateDead)
	state("done-000016", task.StateRetrying)
	state("delayed", task.StateQueued)
	state("elsewhere", task.StateQueued)
	if letters, _, err := b.Dead(t.Context(), "", "", 10); err != nil || len(letters) != 1 {
		lack("%d dead letters: %v", len(letters), err)
	}
	if c, err := b.Counts(t.Context(), "a pool with a long name"); err != nil || !c.Paused || c.Queued != 1 {
		lack("the other pool has %+v: %v", c, err)
	}
	again := message("another")
	again.UniqueKey = "key"
	var held *broker.HeldError
	if errs := b.Enqueue(t.Context(), []*broker.Message{again}); errs == nil || !errors.As(errs[0], &held) {
		lack("the unique key: %v", errs)
	}
	waiting := map[string]int{}
	for _, m := range append(many("later", 30), many("urgent", 5)...) {
		waiting[m.Task.ID] = 1
	}
	for i := 17; i < 20; i++ {
		waiting[fmt.Sprintf("done-%06d", i)] = 2
	}
	waiting["once"] = 1
	for len(waiting) > 0 {
		c, err := b.Counts(t.Context(), poolName)
		if err != nil {
			t.Fatal(err)
		}
		if c.Queued == 0 {
			break
		}
		ctx, cancel := contextFor(t, time.Second)
		leases, err := b.Lease(ctx, poolName, 100)
		cancel()
		if err != nil {
			break
		}
		for _, l := range leases {
			switch want, ok := waiting[l.Task.ID]; {
			case !ok:
				lack("%s was leased", l.Task.ID)
			case min(l.Delivery, 2) != want:
				lack("%s: delivery %d", l.Task.ID, l.Delivery)
			}
			delete(waiting, l.Task.ID)
		}
		ack(t, b, leases...)
	}
	for id := range waiting {
		lack("%s is not to be had", id)
	}
	slices.Sort(what)
	return what
}

// harms are what may happen to a file.
var harms = map[string]func(data []byte) []byte{
	"emptied": func([]byte) []byte { return []byte{} },
	"cut":     func(data []byte) []byte { return data[:len(data)/2] },
	"flipped": func(data []byte) []byte { data[len(data)/2] ^= 0x10; return data },
	"garbage": func(data []byte) []byte {
		r := rand.NewChaCha8([32]byte{1})
		_, _ = r.Read(data) // it never fails
		return data
	},
	"zeroed":  func(data []byte) []byte { return make([]byte, len(data)) },
	"deleted": func([]byte) []byte { return nil },
}

func harm(t testing.TB, path string, how func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if data = how(data); data == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// filesIn are all files that a server has in a directory.
func filesIn(t testing.TB, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "jetstream"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			name, _ := filepath.Rel(dir, path) // it is under dir
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// usual are those that are tried always.
var usual = map[string]map[string]bool{"closed": {"flipped": true, "emptied": true, "deleted": true}, "killed": {"flipped": true}}

// Whichever file is damaged, in whatever way, the server starts, at once, and has all that was not in that file.
func TestDamagedFiles(t *testing.T) {
	closed, killed := furnished(t)
	for state, from := range map[string]string{"closed": closed, "killed": killed} {
		for _, file := range filesIn(t, from) {
			for name, how := range harms {
				if !everything() && !usual[state][name] {
					continue
				}
				t.Run(strings.Join([]string{state, strings.TrimPrefix(file, "jetstream/$G/streams/"), name}, "/"), func(t *testing.T) {
					t.Parallel()
					dir := t.TempDir()
					copyDir(t, from, dir)
					harm(t, filepath.Join(dir, file), how)
					var log transcript
					began := time.Now()
					b := openAt(t, Config{Dir: dir, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
					if took := time.Since(began); took > 5*time.Second {
						t.Errorf("it took %v", took)
					}
					lost := missing(t, b)
					block := strings.HasSuffix(file, ".blk")
					if len(lost) > 0 && !block {
						t.Errorf("lost: %q; said: %s", lost, log.String())
					}
					// A file that is not there, or empty, is missed only if the server had time to write down that it was.
					told := strings.Contains(log.String(), "lost=") || state == "killed" && (name == "emptied" || name == "deleted")
					if block && !told {
						t.Errorf("the log does not say that anything is lost: %s", log.String())
					}
					t.Logf("lost: %q; said: %s", lost, log.String())
				})
			}
		}
	}
}

func contextFor(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
