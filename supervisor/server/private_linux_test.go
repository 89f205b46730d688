package server

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// There is no moment in which others may open the socket, whatever the process's mask.
func TestSocketIsPrivateOnceItIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := (&net.ListenConfig{Control: private}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // nobody used it
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may use the socket: %v, %v", info.Mode(), err)
	}
}
