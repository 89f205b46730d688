package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// stalled is a reader who lets nothing through before it is told to.
type stalled struct {
	entered chan struct{} // gets a value when somebody begins to write
	let     chan struct{} // closed when writes go through
	got     bytes.Buffer
}

func (s *stalled) Write(p []byte) (int, error) {
	select {
	case s.entered <- struct{}{}:
	default:
	}
	<-s.let
	return s.got.Write(p)
}

func TestSpoolDoesNotWaitForItsReader(t *testing.T) {
	w := &stalled{entered: make(chan struct{}, 1), let: make(chan struct{})}
	s := NewSpool(w)
	fmt.Fprintln(s, "first")
	<-w.entered
	line := strings.Repeat("x", 1000) + "\n"
	const lines = 3 * spoolSize / 1000
	for range lines {
		if n, err := io.WriteString(s, line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	close(w.let)
	<-w.entered // what fitted is being written: there is room
	fmt.Fprintln(s, "last")
	s.Close()
	got := w.got.String()
	kept := strings.Count(got, line)
	if want := fmt.Sprintf("brood: %d lines of the log were lost: nobody read them in time\nlast\n", lines-kept); !strings.HasSuffix(got, want) {
		t.Errorf("it ends in %q, want %q", got[max(0, len(got)-200):], want)
	}
	if !strings.HasPrefix(got, "first\n") || kept == 0 || len(got) > spoolSize+1000 {
		t.Errorf("%d lines of %d are there, %d bytes in all", kept, lines, len(got))
	}
}

// In a log of JSON every line is JSON.
func TestSpoolTellsOfLostLinesInJSON(t *testing.T) {
	w := &stalled{entered: make(chan struct{}, 1), let: make(chan struct{})}
	s := NewSpool(w)
	s.JSON()
	fmt.Fprintln(s, "{}")
	<-w.entered
	for range 2 {
		_, _ = s.Write(make([]byte, spoolSize+1))
	}
	fmt.Fprintln(s, "{}")
	close(w.let)
	s.Close()
	lines := strings.Split(w.got.String(), "\n")
	var told struct {
		Level   string    `json:"@level"`
		Message string    `json:"@message"`
		Time    time.Time `json:"@timestamp"`
		Lines   int       `json:"lines"`
	}
	if len(lines) != 4 || json.Unmarshal([]byte(lines[1]), &told) != nil {
		t.Fatalf("logged %q", lines)
	}
	if told.Level != "warn" || told.Lines != 2 || told.Time.IsZero() || told.Message != "lines of the log were lost: nobody read them in time" {
		t.Errorf("logged %+v", told)
	}
}

func TestSpoolIsLeftBehindByClose(t *testing.T) {
	w := &stalled{entered: make(chan struct{}, 1), let: make(chan struct{})}
	s := NewSpool(w)
	fmt.Fprintln(s, "never")
	s.Close() // returns
	close(w.let)
	<-s.done
}
