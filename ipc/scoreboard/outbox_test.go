package scoreboard_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/brood-run/brood/ipc/scoreboard"
)

// TestOutboxAgainstModel plays a worker that holds bytes back, writes them, and writes others
// past the outbox, and may be killed at any moment: the stream plus what is left over
// is always all that it had finished, from wherever the supervisor understood it.
func TestOutboxAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		worker, supervisor := pair(t)
		var all []byte // finished, in order
		stream := 0    // how much of it is written
		next := byte(0)
		some := func(limit int) []byte {
			n := rapid.IntRange(1, limit).Draw(t, "n")
			next++
			return bytes.Repeat([]byte{next}, n)
		}
		out := worker.Outbox(0)
		t.Repeat(map[string]func(*rapid.T){
			"hold": func(t *rapid.T) {
				b := some(2000)
				room := out.Free()
				if cap(room) < len(b) {
					t.Skip("full")
				}
				_ = append(room, b...)
				out.Add(len(b))
				all = append(all, b...)
			},
			"flush": func(t *rapid.T) {
				if held := out.Held(); !bytes.Equal(held, all[stream:]) {
					t.Fatalf("holds %d bytes, want %d", len(held), len(all)-stream)
				}
				stream = len(all)
				out.Written()
			},
			"pass": func(t *rapid.T) {
				if len(out.Held()) > 0 {
					t.Skip("holds something")
				}
				b := some(100)
				all = append(all, b...)
				stream = len(all)
				out.Passed(len(b))
			},
			"": func(t *rapid.T) {
				rest := supervisor.Leftover(uint64(stream))
				if !bytes.Equal(rest, all[stream:]) {
					t.Fatalf("%d bytes are left over, want %d", len(rest), len(all)-stream)
				}
				if supervisor.Leftover(uint64(len(all))) != nil {
					t.Fatal("something is left over though all was read")
				}
			},
		})
	})
}

// What was flushed behind garbage is still there for a supervisor that stopped before it.
func TestOutboxKeepsWhatWasWritten(t *testing.T) {
	worker, supervisor := pair(t)
	out := worker.Outbox(100)
	_ = append(out.Free(), "good"...)
	out.Add(4)
	out.Written()
	if got := supervisor.Leftover(100); string(got) != "good" {
		t.Errorf("left over: %q", got)
	}
	if got := supervisor.Leftover(99); got != nil {
		t.Errorf("left over from before the outbox: %q", got)
	}
}

// A worker may write anything there.
func TestLeftoverOfALiar(t *testing.T) {
	worker, supervisor := pair(t)
	out := worker.Outbox(0)
	out.Add(scoreboard.OutboxSize + 1)
	if got := supervisor.Leftover(0); got != nil {
		t.Errorf("left over: %d bytes of an outbox of %d", len(got), scoreboard.OutboxSize)
	}
}

type fataler interface {
	Helper()
	Fatal(...any)
	Cleanup(func())
}

func pair(t fataler) (worker, supervisor *scoreboard.Board) {
	t.Helper()
	supervisor, f, err := scoreboard.Create()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if worker, err = scoreboard.Open(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { worker.Close(); supervisor.Close() })
	return worker, supervisor
}
