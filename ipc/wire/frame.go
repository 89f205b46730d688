package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/brood-run/brood/ipc"
)

// HeaderSize is the length of a frame's header in bytes.
const HeaderSize = 16

// DefaultMaxBody is the largest frame body accepted unless configured otherwise: 64 MiB.
const DefaultMaxBody = 64 << 20

// Errors that a malformed stream gives. They are wrapped with the place.
var (
	// ErrTooLarge: a frame's body, or a part of it, exceeds the limit.
	ErrTooLarge = errors.New("frame over the size limit")
	// ErrMalformed: a header or body does not have the layout its type demands.
	ErrMalformed = errors.New("malformed frame")
)

// Frame is one message. Body is valid until the Reader's next call.
type Frame struct {
	Type  ipc.Type
	Flags uint8
	ID    uint64 // task or call, chosen by the supervisor; 0 where none applies
	Body  []byte
}

// Ignorable says that a receiver which does not know the frame's type may skip it.
func (f Frame) Ignorable() bool { return f.Flags&ipc.FlagIgnorable != 0 }

// AppendHeader appends a frame header for a body of n bytes.
func AppendHeader(dst []byte, t ipc.Type, flags uint8, id uint64, n int) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	dst = append(dst, byte(t), flags, 0, 0)
	return binary.LittleEndian.AppendUint64(dst, id)
}

// AppendFrame appends a whole frame.
func AppendFrame(dst []byte, f Frame) []byte {
	dst = AppendHeader(dst, f.Type, f.Flags, f.ID, len(f.Body))
	return append(dst, f.Body...)
}

// AppendControl appends a frame whose body is v as JSON. It panics if v cannot
// be encoded: control bodies are this module's own plain structs.
func AppendControl(dst []byte, t ipc.Type, flags uint8, id uint64, v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("wire: encode %T: %v", v, err))
	}
	dst = AppendHeader(dst, t, flags, id, len(body))
	return append(dst, body...)
}

// DecodeControl fills v from a control frame's JSON body. Unknown keys are ignored,
// so that a newer peer may add some.
func DecodeControl(f Frame, v any) error {
	if err := json.Unmarshal(f.Body, v); err != nil {
		return fmt.Errorf("%w: type %d: %v", ErrMalformed, f.Type, err)
	}
	return nil
}

// AppendIDs appends a frame whose body is a list of ids, eight bytes each.
func AppendIDs(dst []byte, t ipc.Type, id uint64, ids []uint64) []byte {
	dst = AppendHeader(dst, t, 0, id, 8*len(ids))
	for _, v := range ids {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return dst
}

// DecodeIDs reads a list of ids.
func DecodeIDs(body []byte) ([]uint64, error) {
	if len(body)%8 != 0 {
		return nil, fmt.Errorf("%w: id list of %d bytes", ErrMalformed, len(body))
	}
	ids := make([]uint64, len(body)/8)
	for i := range ids {
		ids[i] = binary.LittleEndian.Uint64(body[8*i:])
	}
	return ids, nil
}
