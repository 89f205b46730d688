package conn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// clientDiary writes down what a client says it heard. It refuses what refuse names.
type clientDiary struct {
	lines  []string
	heard  int
	refuse string
}

func (d *clientDiary) note(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	d.lines = append(d.lines, line)
	if d.refuse != "" && strings.HasPrefix(line, d.refuse) {
		return errors.New("refused")
	}
	return nil
}

func (d *clientDiary) Ready(r ipc.Ready) error { return d.note("ready %s", r.Plugin) }

func (d *clientDiary) Results(rs []wire.Result) (err error) {
	for _, r := range rs {
		err = errors.Join(err, d.note("result %d %s", r.Seq, r.Payload))
	}
	return err
}

func (d *clientDiary) Recalled(ids []uint64) error { return d.note("recalled %v", ids) }
func (d *clientDiary) Progress(seq uint64, p ipc.Progress) {
	_ = d.note("progress %d %v", seq, p.Fraction)
}
func (d *clientDiary) Beat(b ipc.Beat)       { _ = d.note("beat %d", b.Queued) }
func (d *clientDiary) Recycle(r ipc.Recycle) { _ = d.note("recycle %s", r.Reason) }
func (d *clientDiary) Heard()                { d.heard++ }

func clientReady() []byte {
	return wire.AppendControl(nil, ipc.TypeReady, 0, 0, ipc.Ready{Plugin: "p", SDK: "s", Wire: 1})
}

func clientResult(dst []byte, seq uint64, payload string) []byte {
	return wire.AppendResult(dst, &wire.Result{Seq: seq, Payload: []byte(payload)})
}

// clientStream is one of everything a worker may say.
func clientStream() []byte {
	b := clientReady()
	b = clientResult(b, 1, "a")
	b = clientResult(b, 2, strings.Repeat("b", 1000))
	b = wire.AppendControl(b, ipc.TypeBeat, 0, 0, ipc.Beat{Queued: 3})
	b = wire.AppendControl(b, ipc.TypeProgress, 0, 4, ipc.Progress{Fraction: 0.5})
	b = wire.AppendFrame(b, wire.Frame{Type: 200, Flags: ipc.FlagIgnorable, Body: []byte("from the future")})
	b = wire.AppendIDs(b, ipc.TypeRecalled, 0, []uint64{5, 6})
	b = wire.AppendControl(b, ipc.TypeRecycle, 0, 0, ipc.Recycle{Reason: "old"})
	return clientResult(b, 7, "")
}

var clientHears = []string{
	"ready p", "result 1 a", "result 2 " + strings.Repeat("b", 1000), "beat 3", "progress 4 0.5",
	"recalled [5 6]", "recycle old", "result 7 ",
}

// The same is heard however the stream is cut into reads.
func TestClientHearsEverything(t *testing.T) {
	for name, r := range map[string]io.Reader{
		"at once":   bytes.NewReader(clientStream()),
		"by bytes":  iotest.OneByteReader(bytes.NewReader(clientStream())),
		"in halves": iotest.HalfReader(bytes.NewReader(clientStream())),
	} {
		var d clientDiary
		if err := NewClient(r, io.Discard, 1<<20).Run(&d); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Equal(d.lines, clientHears) {
			t.Errorf("%s: heard %q", name, d.lines)
		}
		if d.heard == 0 || name == "by bytes" && d.heard < len(clientHears) {
			t.Errorf("%s: heard %d times", name, d.heard)
		}
	}
}

// Wherever a worker is killed, what it said before counts and its end is no lie.
func TestClientTakesACutStreamForAnEnd(t *testing.T) {
	stream := clientStream()
	for n := range stream {
		var d clientDiary
		if err := NewClient(bytes.NewReader(stream[:n]), io.Discard, 1<<20).Run(&d); err != nil {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
		if len(d.lines) > len(clientHears) || !slices.Equal(d.lines, clientHears[:len(d.lines)]) {
			t.Fatalf("cut after %d bytes: heard %q", n, d.lines)
		}
	}
}

func TestClientEndsAConversationWithALiar(t *testing.T) {
	ready := clientReady()
	raw := func(t ipc.Type, body string) []byte {
		return wire.AppendFrame(clientResult(slices.Clone(ready), 1, "a"), wire.Frame{Type: t, Body: []byte(body)})
	}
	long := wire.AppendHeader(slices.Clone(ready), ipc.TypeResult, 0, 1, 1<<20+1)
	reserved := clientResult(slices.Clone(ready), 1, "a")
	reserved[len(ready)+6] = 1
	outcome := clientResult(slices.Clone(ready), 1, "a")
	outcome[len(ready)+wire.HeaderSize] = 99
	for name, stream := range map[string][]byte{
		"says something before Ready": clientResult(nil, 1, "a"),
		"sends a Ready that is none":  wire.AppendFrame(nil, wire.Frame{Type: ipc.TypeReady, Body: []byte("{")}),
		"sends garbage":               bytes.Repeat([]byte{0xff}, 64),
		"sends a frame too long":      long,
		"uses reserved bytes":         reserved,
		"invents an outcome":          outcome,
		"invents a frame type":        raw(200, ""),
		"sends a short result":        raw(ipc.TypeResult, "short"),
		"gives back half an id":       raw(ipc.TypeRecalled, "1234"),
		"beats without rhythm":        raw(ipc.TypeBeat, "["),
		"makes no progress":           raw(ipc.TypeProgress, ""),
		"recycles badly":              raw(ipc.TypeRecycle, "x"),
		"is ready twice":              raw(ipc.TypeReady, "{}"),
	} {
		var d clientDiary
		if err := NewClient(bytes.NewReader(stream), io.Discard, 1<<20).Run(&d); !errors.Is(err, ErrProtocol) {
			t.Errorf("a worker that %s: %v", name, err)
		}
	}
}

// Answers before a broken frame are good.
func TestClientKeepsAnswersBeforeALie(t *testing.T) {
	stream := append(clientResult(clientReady(), 1, "a"), bytes.Repeat([]byte{0xff}, 64)...)
	var d clientDiary
	err := NewClient(bytes.NewReader(stream), io.Discard, 1<<20).Run(&d)
	if !errors.Is(err, ErrProtocol) || !slices.Equal(d.lines, []string{"ready p", "result 1 a"}) {
		t.Errorf("heard %q, %v", d.lines, err)
	}
}

func TestClientEndsWhenItsOwnerRefuses(t *testing.T) {
	for _, what := range []string{"ready", "result 2", "recalled"} {
		d := clientDiary{refuse: what}
		if err := NewClient(bytes.NewReader(clientStream()), io.Discard, 1<<20).Run(&d); !errors.Is(err, ErrProtocol) {
			t.Errorf("refused %s: %v", what, err)
		}
		if last := d.lines[len(d.lines)-1]; !strings.HasPrefix(last, what) {
			t.Errorf("refused %s, and then came %q", what, last)
		}
	}
}

// All that one read brought comes in one call.
func TestClientBatchesAnswers(t *testing.T) {
	b := clientReady()
	for seq := range uint64(100) {
		b = clientResult(b, seq+1, "x")
	}
	var d clientDiary
	if err := NewClient(bytes.NewReader(b), io.Discard, 1<<20).Run(&d); err != nil || len(d.lines) != 101 {
		t.Fatalf("%d lines, %v", len(d.lines), err)
	}
	if d.heard > 3 {
		t.Errorf("101 frames in one read were heard %d times", d.heard)
	}
}

// Frames leave in the order in which they were appended, large payloads included.
func TestClientWritesInOrder(t *testing.T) {
	var out bytes.Buffer
	c := NewClient(strings.NewReader(""), &out, 1<<20)
	sizes := []int{0, 1, inlinePayload, inlinePayload + 1, 100, 4 * inlinePayload, 5}
	for round := range 3 {
		out.Reset()
		c.Hello(ipc.Hello{Worker: "w"})
		for i, size := range sizes {
			c.Execute([]wire.Execute{{Seq: uint64(i + 1), Name: "x", TaskID: "t", Payload: bytes.Repeat([]byte{byte(i)}, size)}})
		}
		c.Cancel(3, ipc.CauseCancelled)
		c.Recall(4)
		c.Drain()
		if out.Len() != 0 {
			t.Fatal("written before Flush")
		}
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
		r := wire.NewReader(&out, 1<<20)
		want := []ipc.Type{ipc.TypeHello}
		for range sizes {
			want = append(want, ipc.TypeExecute)
		}
		for i, kind := range append(want, ipc.TypeCancel, ipc.TypeRecall, ipc.TypeDrain) {
			f, err := r.Next()
			if err != nil || f.Type != kind {
				t.Fatalf("round %d: frame %d is of type %d, %v; want %d", round, i, f.Type, err, kind)
			}
			if kind != ipc.TypeExecute {
				continue
			}
			e, err := wire.DecodeExecute(f)
			if err != nil || !bytes.Equal(e.Payload, bytes.Repeat([]byte{byte(i - 1)}, sizes[i-1])) {
				t.Fatalf("round %d: task %d has %d bytes, %v", round, i, len(e.Payload), err)
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("something follows: %v", err)
		}
	}
}

// Many may send while one flushes: no frame is torn or lost.
func TestClientTakesFramesFromMany(t *testing.T) {
	r, w := io.Pipe()
	c := NewClient(strings.NewReader(""), w, 1<<20)
	const senders, each = 4, 200
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for i := range each {
				c.Execute([]wire.Execute{{Seq: uint64(s*each + i), Payload: make([]byte, (s*each+i)*50)}})
				if err := c.Flush(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { sending.Wait(); w.Close() }()
	seen := map[uint64]bool{}
	for d := wire.NewReader(r, 1<<20); ; {
		f, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, err := wire.DecodeExecute(f); err != nil || len(e.Payload) != int(e.Seq)*50 || seen[e.Seq] {
			t.Fatalf("task %d: %d bytes, %v", e.Seq, len(e.Payload), err)
		}
		seen[f.ID] = true
	}
	if len(seen) != senders*each {
		t.Errorf("%d frames of %d", len(seen), senders*each)
	}
}

func TestClientReportsAPipeThatIsGone(t *testing.T) {
	r, w := io.Pipe()
	r.CloseWithError(io.ErrClosedPipe)
	c := NewClient(strings.NewReader(""), w, 0)
	c.Drain()
	if err := c.Flush(); err == nil {
		t.Error("no error")
	}
}

// Whatever bytes come, the client neither panics nor takes a lie for an end, and what
// it hears does not depend on how they are cut into reads.
func FuzzClient(f *testing.F) {
	f.Add(clientStream())
	f.Add(clientStream()[:100])
	f.Add(append(clientResult(clientReady(), 1, "a"), 0xff))
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, stream []byte) {
		var whole, torn clientDiary
		err := NewClient(bytes.NewReader(stream), io.Discard, 1<<12).Run(&whole)
		again := NewClient(iotest.OneByteReader(bytes.NewReader(stream)), io.Discard, 1<<12).Run(&torn)
		if fmt.Sprint(err) != fmt.Sprint(again) || !slices.Equal(whole.lines, torn.lines) {
			t.Fatalf("at once: %q, %v\nby bytes: %q, %v", whole.lines, err, torn.lines, again)
		}
		if err != nil && !errors.Is(err, ErrProtocol) {
			t.Fatalf("an error of another kind: %v", err)
		}
		if len(stream) >= 4 && binary.LittleEndian.Uint32(stream) > 1<<12 && len(stream) >= wire.HeaderSize && err == nil {
			t.Fatal("a frame over the limit was accepted")
		}
	})
}
