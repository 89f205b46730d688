package cli

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// testFile is a file that records what is written and when.
type testFile struct {
	mu     sync.Mutex
	writes []string
	closed bool
	gate   chan struct{} // if not nil, a write waits for one value
	err    error
}

func (f *testFile) Write(p []byte) (int, error) {
	if f.gate != nil {
		<-f.gate
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	f.writes = append(f.writes, string(p))
	return len(p), nil
}

func (f *testFile) Close() error {
	f.closed = true
	return nil
}

func (f *testFile) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.writes)
}

func add(s *sink, text string) {
	s.add(func(dst []byte) []byte { return append(dst, text...) })
}

func TestSinkWritesSoonAndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(testFile)
		s := newSink("test", f)
		for range 3 {
			add(s, "a\n")
			add(s, "b\n")
			time.Sleep(2 * sinkDelay)
		}
		if got := f.count(); got != 3 {
			t.Errorf("%d writes, want one for each burst: %q", got, f.writes)
		}
		if err := s.close(); err != nil || !f.closed || strings.Join(f.writes, "") != "a\nb\na\nb\na\nb\n" {
			t.Errorf("%v, closed %v, %q", err, f.closed, f.writes)
		}
	})
}

func TestSinkDoesNotWaitWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(testFile)
		s := newSink("test", f)
		start := time.Now()
		add(s, strings.Repeat("x", sinkFull))
		synctest.Wait()
		if f.count() != 1 || time.Since(start) != 0 {
			t.Errorf("%d writes after %v", f.count(), time.Since(start))
		}
		s.close()
	})
}

func TestSinkCloseWritesTheRest(t *testing.T) {
	f := new(testFile)
	s := newSink("test", f)
	add(s, "a")
	if err := s.close(); err != nil || strings.Join(f.writes, "") != "a" {
		t.Errorf("%v, %q", err, f.writes)
	}
}

func TestSinkPushesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &testFile{gate: make(chan struct{})}
		s := newSink("test", f)
		added := 0
		var producer sync.WaitGroup
		producer.Go(func() {
			for range 10 {
				add(s, strings.Repeat("x", sinkFull))
				added++
			}
		})
		synctest.Wait()
		if added != 2 { // one is being written, one waits
			t.Errorf("%d lines were taken by a file that takes none", added)
		}
		close(f.gate)
		producer.Wait()
		s.close()
		if n := len(strings.Join(f.writes, "")); n != 10*sinkFull {
			t.Errorf("%d bytes written", n)
		}
	})
}

func TestSinkFailsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		f := &testFile{err: full}
		s := newSink("results", f)
		add(s, "a")
		<-s.failed
		for range 10 {
			add(s, strings.Repeat("x", sinkFull)) // dropped, without blocking
		}
		if err := s.close(); !errors.Is(err, full) || err.Error() != "results: disk full" {
			t.Errorf("error %v", err)
		}
	})
}
