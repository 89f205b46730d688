package worker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/event"
)

// shelf is a file that is started from, though nothing is.
type shelf struct {
	t    *testing.T
	path string
	cfg  *Config
	p    *Program
}

func newShelf(t *testing.T) *shelf {
	path := filepath.Join(t.TempDir(), "plugin")
	s := &shelf{t, path, &Config{Pool: "pool", Logger: hclog.NewNullLogger(), Events: &event.Hub{}}, NewProgram(path, nil)}
	t.Cleanup(s.p.Close)
	return s
}

func (s *shelf) put(content string) {
	s.t.Helper()
	if err := errors.Join(os.WriteFile(s.path+".new", []byte(content), 0o700), os.Rename(s.path+".new", s.path)); err != nil {
		s.t.Fatal(err)
	}
}

// start has a worker become ready, and returns what was started.
func (s *shelf) start() string {
	s.t.Helper()
	look, err := s.p.inspect(s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	defer look.close()
	content, err := os.ReadFile(look.location())
	if err != nil {
		s.t.Fatal(err)
	}
	if err := look.confirm(s.cfg); err != nil {
		s.t.Fatal(err)
	}
	look.keep()
	return string(content)
}

// Pinned, a program is the one of which a worker was ready last, at its path or not.
func TestPinnedProgram(t *testing.T) {
	s := newShelf(t)
	if err := s.p.Pin(); !errors.Is(err, errNeverReady) {
		t.Errorf("nothing was ready: %v", err)
	}
	s.put("one")
	s.start()
	s.put("two")
	if s.p.Current() {
		t.Error("nothing was started from this file yet")
	}
	if s.start(); !s.p.Current() {
		t.Error("that is what was started")
	}
	s.put("three")
	if err := s.p.Pin(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := s.start(); got != "two" {
			t.Errorf("started %q", got)
		}
	}
	if err := os.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	if got := s.start(); got != "two" {
		t.Errorf("started %q", got)
	}
	if s.p.Current() {
		t.Error("there is no file")
	}
}

// The file may be moved away and back meanwhile: it is the same one.
func TestPinnedProgramMovedBack(t *testing.T) {
	s := newShelf(t)
	s.put("one")
	s.start()
	if err := os.Rename(s.path, s.path+".old"); err != nil {
		t.Fatal(err)
	}
	s.put("two")
	if err := s.p.Pin(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.path+".old", s.path); err != nil {
		t.Fatal(err)
	}
	look, err := s.p.inspect(s.cfg)
	if err != nil || look.image != nil {
		t.Errorf("it is at its path: %+v, %v", look, err)
	}
	look.close()
}

func TestProgramWrittenOverCannotBePinned(t *testing.T) {
	s := newShelf(t)
	s.put("one")
	s.start()
	if err := os.WriteFile(s.path, []byte("another"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.p.Pin(); err == nil || !strings.Contains(err.Error(), "written over in place") {
		t.Errorf("got %v", err)
	}
	if got := s.start(); got != "another" {
		t.Errorf("started %q", got)
	}
}

// What is kept can still be written to by who has it open: then nobody knows what runs.
func TestPinnedProgramThatIsWrittenTo(t *testing.T) {
	s := newShelf(t)
	s.put("one")
	s.start()
	if err := os.Rename(s.path, s.path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := s.p.Pin(); err != nil {
		t.Fatal(err)
	}
	look, err := s.p.inspect(s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer look.close()
	if err := os.WriteFile(s.path+".old", []byte("another"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := look.confirm(s.cfg); err == nil || !strings.Contains(err.Error(), "was written to") {
		t.Errorf("got %v", err)
	}
}
