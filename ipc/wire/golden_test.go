package wire_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

var update = flag.Bool("update", false, "write the golden frames anew")

// golden is one frame of each type. What peers of version 1 have agreed on must not
// change: a failure here is a change of the protocol, not of a test.
var golden = []struct {
	file string
	typ  ipc.Type
	id   uint64
	body any // Execute, Result, a list of ids, a control body, or nil
}{
	{"hello", ipc.TypeHello, 0, ipc.Hello{Worker: "echo-1", Slots: 2, MaxFrame: 1 << 20, HeartbeatMS: 1000, Scoreboard: true, BoardBeats: true, LogLevel: "info"}},
	{"ready", ipc.TypeReady, 0, ipc.Ready{Plugin: "echo", Version: "1.0", SDK: "brood-go/1.0", Wire: 1, Tasks: []string{"echo"}, Scoreboard: true}},
	{"ready_error", ipc.TypeReady, 0, ipc.Ready{Plugin: "echo", SDK: "brood-go/1.0", Wire: 1, Tasks: []string{}, Template: true, Error: "no database"}},
	{"execute", ipc.TypeExecute, 7, wire.Execute{
		Seq: 7, Attempt: 2, MaxAttempts: 3, SoftTimeout: 1500, HardTimeout: 3000,
		Name: "echo", TaskID: "a1", Meta: []byte(`{"k":"v"}`), Payload: []byte("hi"),
	}},
	{"result", ipc.TypeResult, 7, wire.Result{
		Seq: 7, Flags: wire.ResultFlagOutput, RunNS: 1_000_000, CPUNS: 500_000, StdoutEnd: 300, StderrEnd: 2, Payload: []byte("hi"),
	}},
	{"result_panic", ipc.TypeResult, 8, wire.Result{Seq: 8, Outcome: ipc.OutcomePanic, RunNS: 5, Message: []byte("panic: x"), Stack: []byte("main.f()")}},
	{"result_retry", ipc.TypeResult, 9, wire.Result{Seq: 9, Outcome: ipc.OutcomeRetryAfter, RetryAfter: 30_000, Message: []byte("busy")}},
	{"cancel", ipc.TypeCancel, 7, ipc.Cancel{Cause: ipc.CauseSoftTimeout}},
	{"progress", ipc.TypeProgress, 7, ipc.Progress{Fraction: 0.5, Message: "half"}},
	{"recall", ipc.TypeRecall, 8, nil},
	{"recalled", ipc.TypeRecalled, 8, []uint64{8, 9}},
	{"beat", ipc.TypeBeat, 0, ipc.Beat{Running: []uint64{7}, Queued: 2, HeapBytes: 4096, Goroutines: 5}},
	{"drain", ipc.TypeDrain, 0, nil},
	{"recycle", ipc.TypeRecycle, 0, ipc.Recycle{Reason: "worn out"}},
}

func TestGoldenFrames(t *testing.T) {
	covered := map[ipc.Type]bool{}
	for _, g := range golden {
		t.Run(g.file, func(t *testing.T) {
			covered[g.typ] = true
			encoded := encode(g.typ, g.id, g.body)
			path := filepath.Join("..", "..", "testdata", "wire", g.file+".hex")
			if *update {
				if err := os.WriteFile(path, []byte(dump(encoded)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			stored := load(t, path)
			if diff := cmp.Diff(dump(stored), dump(encoded)); diff != "" {
				t.Errorf("encoding differs from %s (-stored +encoded):\n%s", path, diff)
			}
			f, err := wire.NewReader(bytes.NewReader(stored), 0).Next()
			if err != nil || f.Type != g.typ || f.ID != g.id || f.Flags != 0 {
				t.Fatalf("read type %d, id %d, flags %d: %v", f.Type, f.ID, f.Flags, err)
			}
			if diff := cmp.Diff(g.body, decode(t, f, g.body)); diff != "" {
				t.Errorf("decoding differs (-want +got):\n%s", diff)
			}
		})
	}
	for typ := ipc.TypeHello; typ <= ipc.TypeRecycle; typ++ {
		if !covered[typ] {
			t.Errorf("no golden frame of type %d", typ)
		}
	}
}

func encode(typ ipc.Type, id uint64, body any) []byte {
	switch v := body.(type) {
	case nil:
		return wire.AppendHeader(nil, typ, 0, id, 0)
	case wire.Execute:
		return wire.AppendExecute(nil, &v)
	case wire.Result:
		return wire.AppendResult(nil, &v)
	case []uint64:
		return wire.AppendIDs(nil, typ, id, v)
	default:
		return wire.AppendControl(nil, typ, 0, id, v)
	}
}

// decode reads a frame's body as a value of like's type.
func decode(t *testing.T, f wire.Frame, like any) any {
	t.Helper()
	var v any
	var err error
	switch like.(type) {
	case nil:
		if len(f.Body) != 0 {
			t.Errorf("body of %d bytes, want none", len(f.Body))
		}
	case wire.Execute:
		v, err = wire.DecodeExecute(f)
	case wire.Result:
		r, e := wire.DecodeResult(f)
		// An absent part and an empty one are the same on the wire.
		for _, part := range []*[]byte{&r.Message, &r.Stack, &r.Payload} {
			*part = append([]byte(nil), *part...)
		}
		v, err = r, e
	case []uint64:
		v, err = wire.DecodeIDs(f.Body)
	default:
		p := reflect.New(reflect.TypeOf(like))
		err = wire.DecodeControl(f, p.Interface())
		v = p.Elem().Interface()
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// dump writes bytes the way the golden files hold them: 16 a line.
func dump(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		n := min(16, len(b))
		fmt.Fprintf(&s, "% x\n", b[:n])
		b = b[n:]
	}
	return s.String()
}

func load(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}
