//go:build unix

package jetstream

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lockDir makes a data directory ours, as long as the file is open, however this process ends.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer func() { _ = f.Close() }() // it was only read
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("data directory: lock %s: %w", path, err)
		}
		holder, _ := io.ReadAll(io.LimitReader(f, 200)) // a holder that cannot be read is not named
		return nil, fmt.Errorf("data directory %s is in use by %s", dir, strings.TrimSpace("another process "+string(holder)))
	}
	line := fmt.Sprintf("pid %d since %s\n", os.Getpid(), time.Now().Format(time.RFC3339))
	if err := write(f, line); err != nil {
		_ = f.Close() // the first error says more
		return nil, fmt.Errorf("data directory is not writable: %w", err)
	}
	return f, nil
}

func write(f *os.File, line string) error {
	_, err := f.WriteAt([]byte(line), 0)
	return errors.Join(err, f.Truncate(int64(len(line))))
}

// unlockDir lets go of a data directory. The file stays: who removes it could take the lock of the next one.
func unlockDir(f *os.File) { _ = f.Close() } // it holds nothing that matters
