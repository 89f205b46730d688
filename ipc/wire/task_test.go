package wire_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

func TestExecuteRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := wire.Execute{
			Seq: rapid.Uint64().Draw(t, "seq"), Attempt: rapid.Uint16().Draw(t, "attempt"), MaxAttempts: rapid.Uint16().Draw(t, "max"),
			SoftTimeout: rapid.Uint32().Draw(t, "soft"), HardTimeout: rapid.Uint32().Draw(t, "hard"),
			Name:   rapid.StringN(0, 60, wire.MaxName).Draw(t, "name"),
			TaskID: rapid.StringN(0, 60, wire.MaxID).Draw(t, "id"),
			Meta:   rapid.SliceOf(rapid.Byte()).Draw(t, "meta"), Payload: rapid.SliceOf(rapid.Byte()).Draw(t, "payload"),
		}
		encoded := wire.AppendExecute(nil, &want)
		if len(encoded) != wire.ExecuteSize(&want) {
			t.Fatalf("%d bytes, ExecuteSize says %d", len(encoded), wire.ExecuteSize(&want))
		}
		f, err := wire.NewReader(bytes.NewReader(encoded), 0).Next()
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.DecodeExecute(f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(wire.AppendExecute(nil, &got), encoded) || got.Name != want.Name || got.TaskID != want.TaskID ||
			!bytes.Equal(got.Meta, want.Meta) || !bytes.Equal(got.Payload, want.Payload) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestResultRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SliceOf(rapid.Byte())
		want := wire.Result{
			Seq: rapid.Uint64().Draw(t, "seq"), Flags: rapid.Byte().Draw(t, "flags"),
			Outcome:    ipc.Outcome(rapid.IntRange(0, int(ipc.OutcomeUnknown)).Draw(t, "outcome")),
			RetryAfter: rapid.Uint32().Draw(t, "retry"),
			RunNS:      rapid.Uint64Max(math.MaxInt64).Draw(t, "run"), CPUNS: rapid.Uint64Max(math.MaxInt64).Draw(t, "cpu"),
			StdoutEnd: rapid.Uint64().Draw(t, "out"), StderrEnd: rapid.Uint64().Draw(t, "err"),
			Message: part.Draw(t, "message"), Stack: part.Draw(t, "stack"), Payload: part.Draw(t, "payload"),
		}
		encoded := wire.AppendResult(nil, &want)
		if len(encoded) != wire.HeaderSize+wire.ResultSize(&want) {
			t.Fatalf("%d bytes, ResultSize says %d", len(encoded), wire.ResultSize(&want))
		}
		f, err := wire.NewReader(bytes.NewReader(encoded), 0).Next()
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.DecodeResult(f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(wire.AppendResult(nil, &got), encoded) || got.RunNS != want.RunNS || got.CPUNS != want.CPUNS ||
			got.StdoutEnd != want.StdoutEnd || got.StderrEnd != want.StderrEnd || !bytes.Equal(got.Stack, want.Stack) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestMalformedBodies(t *testing.T) {
	execute := func(change func([]byte)) []byte {
		b := wire.AppendExecute(nil, &wire.Execute{Name: "name", TaskID: "id", Payload: []byte("payload")})[wire.HeaderSize:]
		change(b)
		return b
	}
	result := func(change func([]byte)) []byte {
		b := wire.AppendResult(nil, &wire.Result{Message: []byte("m"), Payload: []byte("p")})[wire.HeaderSize:]
		change(b)
		return b
	}
	for name, c := range map[string]struct {
		typ  ipc.Type
		body []byte
		want error
	}{
		"short Execute":            {ipc.TypeExecute, make([]byte, 23), wire.ErrMalformed},
		"name over its limit":      {ipc.TypeExecute, execute(func(b []byte) { b[5] = 1 }), wire.ErrTooLarge},
		"id over its limit":        {ipc.TypeExecute, execute(func(b []byte) { b[7] = 5 }), wire.ErrTooLarge},
		"meta over its limit":      {ipc.TypeExecute, execute(func(b []byte) { b[11] = 0xff }), wire.ErrTooLarge},
		"parts beyond Execute":     {ipc.TypeExecute, execute(func(b []byte) { b[8] = 100 }), wire.ErrMalformed},
		"short Result":             {ipc.TypeResult, make([]byte, 47), wire.ErrMalformed},
		"outcome nobody knows":     {ipc.TypeResult, result(func(b []byte) { b[0] = 8 }), wire.ErrMalformed},
		"negative run time":        {ipc.TypeResult, result(func(b []byte) { b[15] = 0x80 }), wire.ErrMalformed},
		"negative CPU time":        {ipc.TypeResult, result(func(b []byte) { b[39] = 0x80 }), wire.ErrMalformed},
		"parts that sum past 2^32": {ipc.TypeResult, result(func(b []byte) { copy(b[40:], strings.Repeat("\xff", 8)) }), wire.ErrMalformed},
		"half an id":               {ipc.TypeRecalled, make([]byte, 12), wire.ErrMalformed},
		"not JSON":                 {ipc.TypeCancel, []byte("{"), wire.ErrMalformed},
		"JSON of another shape":    {ipc.TypeCancel, []byte(`{"cause":1}`), wire.ErrMalformed},
		"keys from the future":     {ipc.TypeCancel, []byte(`{"cause":"x","new":1}`), nil},
	} {
		f := wire.Frame{Type: c.typ, Body: c.body}
		var err error
		switch c.typ {
		case ipc.TypeExecute:
			_, err = wire.DecodeExecute(f)
		case ipc.TypeResult:
			_, err = wire.DecodeResult(f)
		case ipc.TypeRecalled:
			_, err = wire.DecodeIDs(f.Body)
		default:
			err = wire.DecodeControl(f, &ipc.Cancel{})
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, g := range golden {
		f.Add(encode(g.typ, g.id, g.body))
	}
	f.Add(wire.AppendHeader(nil, ipc.TypeResult, 0, 1, 1<<30))
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 1 << 16
		r := wire.NewReader(bytes.NewReader(stream), limit)
		read := 0
		for {
			frame, err := r.Next()
			if err != nil {
				return
			}
			size := wire.HeaderSize + len(frame.Body)
			if len(frame.Body) > limit || !bytes.Equal(wire.AppendFrame(nil, frame), stream[read:read+size]) {
				t.Fatalf("frame of %d bytes at %d is not what the stream holds", size, read)
			}
			read += size
			// What decodes must encode to the same bytes, reserved ones apart.
			if e, err := wire.DecodeExecute(frame); err == nil && wire.ExecuteSize(&e) != size {
				t.Fatalf("Execute of %d bytes encodes to %d", size, wire.ExecuteSize(&e))
			}
			if res, err := wire.DecodeResult(frame); err == nil && wire.HeaderSize+wire.ResultSize(&res) != size {
				t.Fatalf("Result of %d bytes encodes to %d", size, wire.ResultSize(&res))
			}
			if ids, err := wire.DecodeIDs(frame.Body); err == nil && 8*len(ids) != len(frame.Body) {
				t.Fatalf("%d ids in %d bytes", len(ids), len(frame.Body))
			}
		}
	})
}
