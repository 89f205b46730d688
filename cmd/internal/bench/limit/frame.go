package limit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"time"
)

var errWrong = errors.New("a child of the pipe loop sent back something else")

// Frame is a payload as the children expect it: its length in four bytes goes first.
func Frame(payload []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}

// alone sends a frame and waits for it to come back, for d and at least once.
func (c *child) alone(frame []byte, d time.Duration) ([]time.Duration, error) {
	var took []time.Duration
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
