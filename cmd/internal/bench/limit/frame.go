package limit

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// Errors of a child that does not do its part.
var (
	errWrong  = errors.New("a child of the pipe loop sent back another payload")
	errForged = errors.New("a child of the pipe loop answered a task it does not have")
)

// headSize is what goes before a payload: its length in four bytes and the task's id
// in eight.
const headSize = 12

const ioBuffer = 64 << 10

func appendHead(dst []byte, id uint64, n int) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	return binary.LittleEndian.AppendUint64(dst, id)
}

// readHead takes a header off the stream.
func readHead(r *bufio.Reader) (id uint64, n int, err error) {
	head, err := r.Peek(headSize)
	if err != nil {
		return 0, 0, err
	}
	n, id = int(binary.LittleEndian.Uint32(head)), binary.LittleEndian.Uint64(head[4:])
	_, err = r.Discard(headSize)
	return id, n, err
}

// alone sends a payload and waits for it to come back, for d and at least once.
func (c *child) alone(payload []byte, d time.Duration) ([]time.Duration, error) {
	var took []time.Duration
	frame := append(appendHead(nil, 1, len(payload)), payload...)
	reply := make([]byte, len(frame))
	began := time.Now()
	for end := began.Add(d); ; {
		if _, err := c.in.Write(frame); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(c.out, reply); err != nil {
			return nil, err
		}
		now := time.Now()
		if !bytes.Equal(reply, frame) {
			return nil, errWrong
		}
		took = append(took, now.Sub(began))
		if began = now; !now.Before(end) {
			return took, nil
		}
	}
}
