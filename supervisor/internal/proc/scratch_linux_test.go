package proc

import (
	"os"
	"path/filepath"
	"testing"
)

func TestScratch(t *testing.T) {
	s, err := NewScratch()
	if err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp(s.Path(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := s.Path()
	s.Close()
	if _, err := os.Stat(path); err == nil {
		t.Error("it is still there")
	}
	var none *Scratch
	if none.Path() != "" {
		t.Error("nothing has a path")
	}
	none.Close()
}
