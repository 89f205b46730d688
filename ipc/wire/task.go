package wire

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/brood-run/brood/ipc"
)

const (
	executeFixed = 24
	resultFixed  = 48
)

// Limits on the parts of an Execute frame.
const (
	MaxName = 255     // bytes in a task's name
	MaxID   = 1 << 10 // bytes in a task's id
	MaxMeta = 1 << 20 // bytes in a task's encoded metadata
)

// Execute asks a worker to run a task. Byte slices point into the frame they were
// decoded from.
type Execute struct {
	Seq         uint64 // the frame's id: 1, 2, 3, ... within a connection
	Attempt     uint16 // 1 for the first start
	MaxAttempts uint16
	SoftTimeout uint32 // milliseconds from the handler's start; 0 is none
	HardTimeout uint32 // milliseconds from the handler's start; 0 is none
	Name        string
	TaskID      string
	Meta        []byte // JSON object of strings, or empty
	Payload     []byte
}

// AppendExecuteHead appends everything of an Execute frame but its payload, which
// must follow it on the stream. The caller has checked name, id and meta
// against MaxName, MaxID and MaxMeta.
func AppendExecuteHead(dst []byte, e *Execute) []byte {
	n := executeFixed + len(e.Name) + len(e.TaskID) + len(e.Meta) + len(e.Payload)
	dst = AppendHeader(dst, ipc.TypeExecute, 0, e.Seq, n)
	le := binary.LittleEndian
	dst = le.AppendUint16(dst, e.Attempt)
	dst = le.AppendUint16(dst, e.MaxAttempts)
	dst = le.AppendUint16(dst, uint16(len(e.Name)))
	dst = le.AppendUint16(dst, uint16(len(e.TaskID)))
	dst = le.AppendUint32(dst, uint32(len(e.Meta)))
	dst = le.AppendUint32(dst, e.SoftTimeout)
	dst = le.AppendUint32(dst, e.HardTimeout)
	dst = le.AppendUint32(dst, 0)
	dst = append(dst, e.Name...)
	dst = append(dst, e.TaskID...)
	return append(dst, e.Meta...)
}

// AppendExecute appends a whole Execute frame.
func AppendExecute(dst []byte, e *Execute) []byte {
	return append(AppendExecuteHead(dst, e), e.Payload...)
}

// ExecuteSize is the length of e as a frame, header included.
func ExecuteSize(e *Execute) int {
	return HeaderSize + executeFixed + len(e.Name) + len(e.TaskID) + len(e.Meta) + len(e.Payload)
}

// DecodeExecute reads an Execute frame.
func DecodeExecute(f Frame) (Execute, error) {
	b := f.Body
	if len(b) < executeFixed {
		return Execute{}, fmt.Errorf("%w: Execute of %d bytes", ErrMalformed, len(b))
	}
	le := binary.LittleEndian
	name, id, meta := int(le.Uint16(b[4:])), int(le.Uint16(b[6:])), uint64(le.Uint32(b[8:]))
	rest := b[executeFixed:]
	if name > MaxName || id > MaxID || meta > MaxMeta {
		return Execute{}, fmt.Errorf("%w: Execute with name %d, id %d, meta %d bytes", ErrTooLarge, name, id, meta)
	}
	if uint64(name)+uint64(id)+meta > uint64(len(rest)) {
		return Execute{}, fmt.Errorf("%w: Execute parts exceed its body", ErrMalformed)
	}
	e := Execute{
		Seq: f.ID, Attempt: le.Uint16(b), MaxAttempts: le.Uint16(b[2:]),
		SoftTimeout: le.Uint32(b[12:]), HardTimeout: le.Uint32(b[16:]),
	}
	text := string(rest[:name+id]) // one allocation for both
	e.Name, e.TaskID, rest = text[:name], text[name:], rest[name+id:]
	e.Meta, e.Payload = rest[:meta:meta], rest[meta:]
	return e, nil
}

// ResultFlagOutput says that StdoutEnd and StderrEnd are set.
const ResultFlagOutput uint8 = 1

// Result says how an attempt ended. Byte slices point into the frame they were
// decoded from.
type Result struct {
	Seq        uint64 // the id of the Execute frame it answers
	Outcome    ipc.Outcome
	Flags      uint8
	RetryAfter uint32 // milliseconds, with OutcomeRetryAfter
	RunNS      uint64 // wall time inside the handler
	CPUNS      uint64 // process CPU time spent meanwhile
	StdoutEnd  uint64 // bytes ever written to fd 1 when the handler returned
	StderrEnd  uint64 // the same for fd 2
	Message    []byte // error text unless completed
	Stack      []byte // where a panic happened
	Payload    []byte // the result, if completed
}

// AppendResultHead appends everything of a Result frame but its payload.
func AppendResultHead(dst []byte, r *Result) []byte {
	n := resultFixed + len(r.Message) + len(r.Stack) + len(r.Payload)
	dst = AppendHeader(dst, ipc.TypeResult, 0, r.Seq, n)
	dst = append(dst, byte(r.Outcome), r.Flags, 0, 0)
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, r.RetryAfter)
	dst = le.AppendUint64(dst, r.RunNS)
	dst = le.AppendUint64(dst, r.StdoutEnd)
	dst = le.AppendUint64(dst, r.StderrEnd)
	dst = le.AppendUint64(dst, r.CPUNS)
	dst = le.AppendUint32(dst, uint32(len(r.Message)))
	dst = le.AppendUint32(dst, uint32(len(r.Stack)))
	dst = append(dst, r.Message...)
	return append(dst, r.Stack...)
}

// AppendResult appends a whole Result frame.
func AppendResult(dst []byte, r *Result) []byte {
	return append(AppendResultHead(dst, r), r.Payload...)
}

// ResultSize is the length of r's frame body.
func ResultSize(r *Result) int {
	return resultFixed + len(r.Message) + len(r.Stack) + len(r.Payload)
}

// DecodeResult reads a Result frame.
func DecodeResult(f Frame) (Result, error) {
	b := f.Body
	if len(b) < resultFixed {
		return Result{}, fmt.Errorf("%w: Result of %d bytes", ErrMalformed, len(b))
	}
	le := binary.LittleEndian
	r := Result{
		Seq: f.ID, Outcome: ipc.Outcome(b[0]), Flags: b[1], RetryAfter: le.Uint32(b[4:]),
		RunNS: le.Uint64(b[8:]), StdoutEnd: le.Uint64(b[16:]), StderrEnd: le.Uint64(b[24:]), CPUNS: le.Uint64(b[32:]),
	}
	if r.Outcome > ipc.OutcomeUnknown {
		return Result{}, fmt.Errorf("%w: Result with outcome %d", ErrMalformed, r.Outcome)
	}
	if r.RunNS > math.MaxInt64 || r.CPUNS > math.MaxInt64 {
		return Result{}, fmt.Errorf("%w: Result with a negative time", ErrMalformed)
	}
	message, stack := uint64(le.Uint32(b[40:])), uint64(le.Uint32(b[44:]))
	rest := b[resultFixed:]
	if message+stack > uint64(len(rest)) {
		return Result{}, fmt.Errorf("%w: Result parts exceed its body", ErrMalformed)
	}
	r.Message, rest = rest[:message:message], rest[message:]
	r.Stack, r.Payload = rest[:stack:stack], rest[stack:]
	return r, nil
}
