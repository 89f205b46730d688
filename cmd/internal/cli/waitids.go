package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
)

// longestID is the longest line of ids that is read; an id is at most 1024 bytes.
const longestID = 64 << 10

// waitTogether is how many of the ids on standard input are waited for at a time.
const waitTogether = 1000

// idBatches calls do with the ids on a stream, one on each line, as many as are there at a time. A signal
// ends the wait for more.
func idBatches(ctx context.Context, r io.Reader, do func(ids []string) error) error {
	blocks := newBlocks(r)
	defer blocks.halt()
	defer context.AfterFunc(ctx, blocks.halt)()
	lines := bufio.NewScanner(&blockReader{next: blocks.next})
	lines.Buffer(nil, longestID)
	var ids []string
	for lines.Scan() {
		if id := bytes.TrimSpace(lines.Bytes()); len(id) > 0 {
			ids = append(ids, string(id))
		}
		if len(ids) == waitTogether {
			if err := do(ids); err != nil {
				return err
			}
			ids = nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := lines.Err(); err != nil {
		return cannotRunf("input: %v", err)
	}
	if len(ids) == 0 {
		return nil
	}
	return do(ids)
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
