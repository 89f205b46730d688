package proc

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// held writes a script and has it held and removed.
func held(t *testing.T, text string) Command {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := Hold(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	return Command{Path: path, Image: f}
}

// A file that has no path any more is started all the same, whatever number its descriptor has and
// whatever others are handed over.
func TestStartFromAHeldFile(t *testing.T) {
	s := newSpawner(t)
	c := held(t, "#!/bin/sh\necho \"$1\"\n")
	c.Args = []string{"here I am"}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	for n := range 4 {
		c.Extra = append(c.Extra, w)
		p, out := launchReading(t, s, c)
		if got := line(t, out); got != "here I am" {
			t.Errorf("with %d more files it says %q", n+1, got)
		}
		await(t, p)
	}
}

func TestStartFromAHeldBinary(t *testing.T) {
	s := newSpawner(t)
	f, err := Hold("/bin/echo")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	again, err := Duplicate(f)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	p, out := launchReading(t, s, Command{Path: "/nowhere/echo", Image: again, Args: []string{"hello"}, PIDNamespace: true})
	if got := line(t, bufio.NewReader(out)); got != "hello" {
		t.Errorf("it says %q", got)
	}
	await(t, p)
}

// The reason is about the file that was held.
func TestHeldFileThatCannotBeStarted(t *testing.T) {
	s := newSpawner(t)
	if _, err := s.Start(t.Context(), held(t, "no program")); !errors.Is(err, ErrCannotStart) || !strings.Contains(err.Error(), "neither a program nor a script") {
		t.Errorf("got %v", err)
	}
	if _, err := Hold("/nowhere"); err == nil {
		t.Error("what is not there was held")
	}
}
