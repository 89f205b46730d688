package conn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// ledger keeps what a worker owes and what it has answered.
type ledger struct {
	answered map[uint64]int
	started  map[uint64]bool // answered with anything but unstarted
	recalls  []uint64        // ids of the Recalled frames, in order
}

// collect reads a worker's stream to its end. Frames that a worker may not send, or
// that do not decode, are errors.
func collect(r io.Reader) (ledger, error) {
	l := ledger{answered: map[uint64]int{}, started: map[uint64]bool{}}
	in := wire.NewReader(r, 0)
	for first := true; ; first = false {
		f, err := in.Next()
		if err == io.EOF {
			return l, nil
		}
		if err != nil {
			return l, err
		}
		if first != (f.Type == ipc.TypeReady) {
			return l, fmt.Errorf("frame of type %d, first: %v", f.Type, first)
		}
		switch f.Type {
		case ipc.TypeReady, ipc.TypeBeat:
		case ipc.TypeResult:
			res, err := wire.DecodeResult(f)
			if err != nil {
				return l, err
			}
			l.answered[res.Seq]++
			l.started[res.Seq] = res.Outcome != ipc.OutcomeUnstarted
		case ipc.TypeRecalled:
			ids, err := wire.DecodeIDs(f.Body)
			if err != nil {
				return l, err
			}
			l.recalls = append(l.recalls, f.ID)
			for _, id := range ids {
				l.answered[id]++
			}
		default:
			return l, fmt.Errorf("frame of type %d from a worker", f.Type)
		}
	}
}

// talk is one whole conversation with a Server: what it answered, how often each
// handler was entered, and how it ended.
type talk struct {
	ledger
	entered map[uint64]int
	ended   error
}

// converse feeds a stream to a Server. With open set the stream stays open after its
// last byte until Serve returns. Handlers wait for their context, panic or return, as
// their payload says.
func converse(t interface{ Fatal(...any) }, slots int, stream []byte, open bool) talk {
	var mu sync.Mutex
	c := talk{entered: map[uint64]int{}}
	rest, end := io.Pipe()
	if !open {
		end.Close()
	}
	outR, outW := io.Pipe()
	hello := wire.AppendControl(nil, ipc.TypeHello, 0, 0, ipc.Hello{Slots: slots, MaxFrame: minMaxFrame, HeartbeatMS: 1})
	in := io.MultiReader(bytes.NewReader(hello), bytes.NewReader(stream), rest)
	server, err := NewServer(in, outW, ServerWork{
		Base: context.Background(), Cause: func(ipc.Cause) error { return errTestCause },
		Handle: func(job *Job, res *wire.Result) {
			mu.Lock()
			c.entered[job.Seq]++
			mu.Unlock()
			switch string(job.Payload) {
			case "wait":
				<-job.Done()
				res.Outcome = ipc.OutcomeCancelled
			case "panic":
				panic("random")
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	var bad error
	reading.Go(func() { c.ledger, bad = collect(outR) })
	c.ended = server.Serve(ipc.Ready{}, nil)
	end.Close()
	server.Wait()
	outW.Close()
	reading.Wait()
	if bad != nil {
		t.Fatal(bad)
	}
	return c
}

// TestServerRandomFrames sends sensible frames in random order and checks the
// promise: one answer for each task, none twice, none of an unstarted one's handler
// entered.
func TestServerRandomFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slots := rapid.IntRange(1, 4).Draw(t, "slots")
		var stream []byte
		var tasks uint64
		var waits, recalls []uint64
		for range rapid.IntRange(0, 60).Draw(t, "frames") {
			id := rapid.Uint64Range(0, tasks+2).Draw(t, "id")
			switch rapid.SampledFrom([]string{"task", "task", "task", "wait", "panic", "cancel", "recall", "future"}).Draw(t, "kind") {
			case "task":
				tasks++
				stream = append(stream, execute(tasks, "")...)
			case "panic":
				tasks++
				stream = append(stream, execute(tasks, "panic")...)
			case "wait":
				tasks++
				waits = append(waits, tasks)
				stream = append(stream, execute(tasks, "wait")...)
			case "cancel":
				stream = wire.AppendControl(stream, ipc.TypeCancel, 0, id, ipc.Cancel{Cause: "any"})
			case "recall":
				recalls = append(recalls, id)
				stream = wire.AppendHeader(stream, ipc.TypeRecall, 0, id, 0)
			case "future":
				stream = wire.AppendFrame(stream, wire.Frame{Type: 200, Flags: ipc.FlagIgnorable, ID: id, Body: []byte("?")})
			}
		}
		for _, id := range waits {
			stream = wire.AppendControl(stream, ipc.TypeCancel, 0, id, ipc.Cancel{})
		}
		stream = wire.AppendHeader(stream, ipc.TypeDrain, 0, 0, 0)
		c := converse(t, slots, stream, true)
		if c.ended != nil {
			t.Fatalf("Serve ended with %v", c.ended)
		}
		for id := uint64(1); id <= tasks; id++ {
			if c.answered[id] != 1 {
				t.Fatalf("task %d of %d was answered %d times", id, tasks, c.answered[id])
			}
			if entered := c.entered[id]; entered > 1 || (entered == 1) != c.started[id] {
				t.Fatalf("handler of task %d entered %d times, its answer says %v", id, entered, c.started[id])
			}
		}
		if fmt.Sprint(c.recalls) != fmt.Sprint(recalls) {
			t.Fatalf("recalls %v answered as %v", recalls, c.recalls)
		}
	})
}

// FuzzServer sends anything at all. The Server must end, with the reason that fits,
// and whatever it answered before must be right.
func FuzzServer(f *testing.F) {
	f.Add(byte(1), execute(1, ""))
	f.Add(byte(3), append(execute(1, "wait"), execute(2, "panic")...))
	f.Add(byte(1), wire.AppendControl(execute(7, "wait"), ipc.TypeCancel, 0, 7, ipc.Cancel{Cause: ipc.CauseShutdown}))
	f.Add(byte(1), wire.AppendHeader(execute(1, ""), ipc.TypeRecall, 0, 1, 0))
	f.Add(byte(2), wire.AppendHeader(execute(1, ""), ipc.TypeDrain, 0, 0, 0))
	f.Add(byte(1), wire.AppendHeader(nil, 99, ipc.FlagIgnorable, 0, 0))
	f.Fuzz(func(t *testing.T, slots byte, stream []byte) {
		c := converse(t, 1+int(slots%4), stream, false)
		switch {
		case c.ended == nil, c.ended == io.EOF, c.ended == io.ErrUnexpectedEOF:
		case errors.Is(c.ended, wire.ErrMalformed), errors.Is(c.ended, wire.ErrTooLarge):
		default:
			t.Errorf("ended with %v", c.ended)
		}
		for id, n := range c.answered {
			if n != 1 || c.started[id] != (c.entered[id] == 1) {
				t.Errorf("task %d: %d answers, started %v, entered %d times", id, n, c.started[id], c.entered[id])
			}
		}
	})
}
