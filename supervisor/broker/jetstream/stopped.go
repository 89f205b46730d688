package jetstream

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	// stoppedFile is in a data directory while there is no server, if the last one was stopped properly: its indices
	// know each file of messages that there is to be. After any other stop, a queue may have removed files since.
	stoppedFile = "stopped"
	// stoppedText is what is in it: a disk that has no room for it may have had none for an index.
	stoppedText = "The server was stopped properly. Its indices are up to date.\n"
)

// noteStop says in a data directory that its server was stopped properly.
func noteStop(dir string) error {
	// The server writes its indices without waiting for the disk. The file must not be there before them.
	indices, err := fs.Glob(os.DirFS(dir), "jetstream/*/streams/*/msgs/index.db")
	for _, index := range indices {
		err = errors.Join(err, syncPath(filepath.Join(dir, index)))
	}
	if err != nil {
		return err
	}
	path := filepath.Join(dir, stoppedFile)
	if err := os.WriteFile(path, []byte(stoppedText), 0o600); err != nil {
		return err
	}
	return errors.Join(syncPath(path), syncPath(dir))
}

// takeStop finds out whether the last server was stopped properly, before another one begins: from then on the
// directory does not say so any more, whatever happens.
func takeStop(dir string) (bool, error) {
	path := filepath.Join(dir, stoppedFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err := errors.Join(err, os.Remove(path), syncPath(dir)); err != nil {
		return false, fmt.Errorf("data directory: %w", err)
	}
	return string(text) == stoppedText, nil
}

// syncPath waits until a file, or the names in a directory, are on the disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
