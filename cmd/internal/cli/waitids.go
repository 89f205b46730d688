package cli

import (
	"bufio"
	"context"
	"io"
	"strings"
)

// longestID is the longest line of ids that is read; an id is at most 1024 bytes.
const longestID = 64 << 10

// eachID calls add with each id on a stream, one on a line, until ctx ends or add returns an error.
func eachID(ctx context.Context, r io.Reader, add func(id string) error) error {
	blocks := newBlocks(r)
	defer blocks.halt()
	defer context.AfterFunc(ctx, blocks.halt)()
	lines := bufio.NewScanner(&blockReader{next: blocks.next})
	lines.Buffer(nil, longestID)
	for lines.Scan() {
		id := strings.TrimSpace(lines.Text())
		if id == "" {
			continue
		}
		if err := add(id); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return cannotRunf("input: %v", err)
	}
	return nil
}

// blockReader reads blocks as a stream.
type blockReader struct {
	next func() ([]byte, error)
	rest []byte
}

// Read implements io.Reader.
func (b *blockReader) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		var err error
		if b.rest, err = b.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}
