package jetstream

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// What says that a server was stopped properly is there when it was, and only until the next one starts.
func TestStoppedProperly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, stoppedFile)
	there := func(want bool) {
		t.Helper()
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) == want {
			t.Errorf("it is to be there: %v; %v", want, err)
		}
	}
	e := engineAt(t, dir)
	there(false)
	e.stop()
	there(true)
	e = engineAt(t, dir)
	there(false)
	e.cancel() // nobody replaces the server
	<-e.done
	e.said.Errorf("JetStream %s%s", writeFailed, "no space left on device")
	e.stop()
	there(false)
	if proper, err := takeStop(dir); proper || err != nil {
		t.Errorf("%v, %v of a server that could not write", proper, err)
	}
	for text, want := range map[string]bool{"": false, stoppedText[:20]: false, stoppedText: true} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time it is not there
			if proper, err := takeStop(dir); proper != want || err != nil {
				t.Errorf("%v, %v of %q", proper, err, text)
			}
			there(false)
			want = false
		}
	}
}

// A server that is replaced was not stopped properly, though it is shut down.
func TestMissingBlockOfAReplacedServer(t *testing.T) {
	dir := t.TempDir()
	severalBlocks(t, dir)
	var log transcript
	e := engineAt(t, dir)
	defer e.stop()
	e.cancel() // nobody else replaces the server
	<-e.done
	e.log = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Debug})
	harm(t, blockOf(dir, "brood_q_p", 2), harms["deleted"])
	e.replace(t.Context(), e.server, errors.New("it is to be replaced"))
	if text := log.String(); !strings.Contains(text, noBlock) || strings.Contains(text, "lost, the rest") {
		t.Errorf("it said: %s", text)
	}
}

func engineAt(t *testing.T, dir string) *engine {
	t.Helper()
	e, err := startEngine(Config{Dir: dir}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return e
}
