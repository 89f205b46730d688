package jetstream

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// What a server writes, and leaves behind when it is closed or killed, is not taken for damage, whatever became of
// its tasks: should the server ever write its files in another way, this fails.
func TestUndamagedFiles(t *testing.T) {
	dir, killed := t.TempDir(), t.TempDir()
	for round := range 4 {
		var log transcript
		b := opened(t, Config{Dir: dir, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
		quiet(t, "closed", &log)
		for i := range 40 {
			messages := many(fmt.Sprintf("%d-%d", round, i), 500)
			for n, m := range messages {
				m.Task.Priority, m.Task.Payload = n%3, make([]byte, 300)
				m.Task.AtMostOnce = n%7 == 0
			}
			enqueue(t, b, messages...)
			leases := lease(t, b, 1000)
			ack(t, b, leases[:len(leases)*9/10]...)
			for _, l := range leases[len(leases)*9/10:] {
				if err := b.Nack(t.Context(), l, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		copyDir(t, dir, killed)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		var said transcript
		after := opened(t, Config{Dir: killed, Logger: hclog.New(&hclog.LoggerOptions{Output: &said})})
		quiet(t, "killed", &said)
		if err := after.Close(); err != nil {
			t.Fatal(err)
		}
		killed = t.TempDir()
	}
	for round := range 3 {
		kill(t, killed, 300+50*round)
		var log transcript
		b := opened(t, Config{Dir: killed, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
		quiet(t, "killed by a signal", &log)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func quiet(t *testing.T, what string, log *transcript) {
	t.Helper()
	if text := log.String(); strings.Contains(text, "[WARN]") || strings.Contains(text, "[ERROR]") {
		t.Errorf("%s: %s", what, text)
	}
}
