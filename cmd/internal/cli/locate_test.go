package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func program(t *testing.T, path string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLocatePlugin(t *testing.T) {
	home, onPath := t.TempDir(), t.TempDir()
	t.Setenv("PATH", onPath)
	t.Chdir(t.TempDir())
	want := map[string]string{
		"inplugins": program(t, filepath.Join(home, "plugins", "inplugins")),
		"beside":    program(t, filepath.Join(home, "beside")),
		"onpath":    program(t, filepath.Join(onPath, pluginPrefix+"onpath")),
		"./path":    "./path",
	}
	program(t, filepath.Join(home, "inplugins")) // plugins/ comes first
	for name, path := range want {
		if got, err := locatePlugin(name, home); got != path || err != nil {
			t.Errorf("%s: %s, %v, want %s", name, got, err, path)
		}
	}
	program(t, "here")
	_, err := locatePlugin("here", home)
	if err == nil {
		t.Fatal("a name was taken for a file of the working directory")
	}
	for _, part := range []string{filepath.Join(home, "plugins", "here"), pluginPrefix + "here on PATH", "write --plugin ./here"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
}

func TestFoundPlugins(t *testing.T) {
	home, onPath := t.TempDir(), t.TempDir()
	t.Setenv("PATH", strings.Join([]string{onPath, onPath, "relative"}, string(os.PathListSeparator)))
	a := program(t, filepath.Join(home, "plugins", "a"))
	b := program(t, filepath.Join(onPath, pluginPrefix+"b"))
	program(t, filepath.Join(onPath, "other"))
	if err := os.WriteFile(filepath.Join(home, "plugins", "README"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	got := foundPlugins(home)
	if len(got) != 2 || got[0] != min(a, b) || got[1] != max(a, b) {
		t.Errorf("found %q", got)
	}
}
