package worker

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/proc"
)

// A file that changes between the look at it and the process that was started from it gets
// no tasks; who looks again finds it changed, once.
func TestProgramChangedWhileItIsStarted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plugin")
	write := func(content string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path+".new", []byte(content), 0o700), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	hub := &event.Hub{}
	events := hub.Subscribe(10)
	cfg := &Config{Pool: "pool", Logger: hclog.NewNullLogger(), Events: hub}
	p := NewProgram(path, nil)
	look := func() sighting {
		t.Helper()
		s, err := p.inspect(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := look().confirm(cfg); err != nil {
		t.Fatal(err)
	}
	s := look()
	write("two")
	if err := s.confirm(cfg); err == nil || errors.Is(err, proc.ErrCannotStart) {
		t.Errorf("changed after the look: %v; it is worth another try", err)
	}
	for range 3 {
		if err := look().confirm(cfg); err != nil {
			t.Error(err)
		}
	}
	hub.Close()
	n := 0
	for e := range events.C() {
		if c := e.(event.PluginChanged); c.Refused || c.Old == c.New {
			t.Errorf("got %v", c)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d events for one change", n)
	}
}

// What is not there is for the start to explain; it does not count as a change.
func TestProgramThatIsMissing(t *testing.T) {
	cfg := &Config{Logger: hclog.NewNullLogger(), Events: &event.Hub{}}
	p := NewProgram(filepath.Join(t.TempDir(), "none"), make([]byte, 32))
	s, err := p.inspect(cfg)
	if err != nil {
		t.Errorf("got %v", err)
	}
	if err := s.confirm(cfg); err == nil {
		t.Error("it was started although it is not there")
	}
}
