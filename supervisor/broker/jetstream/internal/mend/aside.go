package mend

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	asideDir = "damaged"
	// mostAside is how many damaged files of a stream are kept; the oldest go first.
	mostAside = 64
)

// aside gives a file a second name, where it stays when it is replaced. The name is empty if there is no file.
func (m *mender) aside(stream, path string) (string, error) {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	dir := filepath.Join(m.dir, asideDir, stream)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	kept, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	slices.SortFunc(kept, func(a, b os.DirEntry) int { return cmp.Compare(when(a.Name()), when(b.Name())) })
	for ; len(kept) >= mostAside; kept = kept[1:] {
		if err := remove(filepath.Join(dir, kept[0].Name())); err != nil {
			return "", err
		}
	}
	name := filepath.Base(path)
	if parent := filepath.Dir(path); filepath.Base(filepath.Dir(parent)) == consumersDir {
		name = filepath.Base(parent) + "-" + name
	}
	to := filepath.Join(dir, name+"."+time.Now().UTC().Format("20060102T150405.000000000"))
	if err := os.Link(path, to); err != nil {
		return "", fmt.Errorf("put a damaged file aside: %w", err)
	}
	return to, errors.Join(os.Chmod(to, 0o600), syncDir(dir))
}

// when is the time in the name of a file that was put aside.
func when(name string) string { return name[max(len(name)-len("20060102T150405.000000000"), 0):] }

// replace writes a file as a whole or not at all.
func replace(path string, data []byte) error {
	temp := path + mendSuffix
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = bytes.NewReader(data).WriteTo(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
