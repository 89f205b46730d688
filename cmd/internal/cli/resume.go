package cli

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

// finished is the set of ids that an earlier run completed. It holds 16 bytes
// of a cryptographic hash of each: to take one task for another would lose it.
type finished map[[16]byte]struct{}

func (f finished) has(id string) bool {
	if len(f) == 0 {
		return false
	}
	_, found := f[digest(id)]
	return found
}

func digest(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:16])
}

// readFinished reads the results of an earlier run. keep is how much of the file is
// worth keeping: a run that was killed may have left half a line at its end.
func readFinished(file *os.File) (done finished, keep int64, err error) {
	done = make(finished)
	buf := make([]byte, blockSize)
	lines := &lineReader{max: 1 << 31, next: func() ([]byte, error) {
		n, err := file.Read(buf)
		if n > 0 {
			return buf[:n], nil
		}
		return nil, err
	}}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	for {
		l, err := lines.read()
		if err == io.EOF {
			return done, keep, nil
		}
		if err != nil {
			return nil, 0, err
		}
		end := keep + int64(l.raw) + 1
		if end > info.Size() {
			return done, keep, nil // no newline: the line may be half of what it was to be
		}
		if err := done.note(l.text); err != nil {
			return nil, 0, fmt.Errorf("%s:%d: %w; --resume adds only to the output of an earlier run", file.Name(), l.number, err)
		}
		keep = end
	}
}

func (f finished) note(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	var id, status string
	err := members(text, func(key string, value []byte) (err error) {
		switch key {
		case "id":
			id, err = unquote(value)
		case "status":
			status, err = unquote(value)
		}
		return err
	})
	if err == nil && status == "" {
		err = errors.New("not a result line")
	}
	if err == nil && status == "completed" {
		f[digest(id)] = struct{}{}
	}
	return err
}
