package conn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

var errTestCause = errors.New("cancelled by the test")

// serverRig is a Server over pipes in memory, driven by raw frames.
type serverRig struct {
	t      testing.TB
	server *Server
	in     *io.PipeWriter
	out    *wire.Reader
	outEnd *io.PipeReader
	served chan error
}

// rigServer starts a Server whose handler is handle and reads its Ready.
func rigServer(t testing.TB, slots int, handle JobHandler) *serverRig {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	hello := wire.AppendControl(nil, ipc.TypeHello, 0, 0, ipc.Hello{Slots: slots, MaxFrame: 1 << 20})
	go inW.Write(hello)
	server, err := NewServer(inR, outW, ServerWork{
		Handle: handle, Base: context.Background(), Cause: func(ipc.Cause) error { return errTestCause },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &serverRig{t: t, server: server, in: inW, out: wire.NewReader(outR, 0), outEnd: outR, served: make(chan error, 1)}
	var serving sync.WaitGroup
	serving.Go(func() { r.served <- server.Serve(ipc.Ready{Tasks: []string{"x"}}, nil) })
	t.Cleanup(func() { r.in.Close(); r.outEnd.Close(); serving.Wait(); server.Wait() })
	r.next(ipc.TypeReady)
	return r
}

func (r *serverRig) send(b []byte) {
	r.t.Helper()
	if _, err := r.in.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

func (r *serverRig) next(want ipc.Type) wire.Frame {
	r.t.Helper()
	f, err := r.out.Next()
	if err != nil || f.Type != want {
		r.t.Fatalf("frame of type %d (%v), want %d", f.Type, err, want)
	}
	return f
}

func (r *serverRig) result(seq uint64, want ipc.Outcome) wire.Result {
	r.t.Helper()
	res, err := wire.DecodeResult(r.next(ipc.TypeResult))
	if err != nil || res.Seq != seq || res.Outcome != want {
		r.t.Fatalf("result %+v (%v), want task %d with outcome %d", res, err, seq, want)
	}
	return res
}

func execute(seq uint64, payload string) []byte {
	return wire.AppendExecute(nil, &wire.Execute{Seq: seq, Name: "x", Payload: []byte(payload)})
}

func TestServerAnswersInOrderAndDrains(t *testing.T) {
	r := rigServer(t, 1, func(job *Job, res *wire.Result) { res.Payload = append(job.Payload, '!') })
	var frames []byte
	for seq := range uint64(300) {
		frames = append(frames, execute(seq+1, fmt.Sprint(seq))...)
	}
	go r.in.Write(wire.AppendHeader(frames, ipc.TypeDrain, 0, 0, 0))
	for seq := range uint64(300) {
		if res := r.result(seq+1, ipc.OutcomeCompleted); string(res.Payload) != fmt.Sprintf("%d!", seq) {
			t.Fatalf("task %d answered %q", seq+1, res.Payload)
		}
	}
	if err := <-r.served; err != nil {
		t.Errorf("Serve after Drain: %v", err)
	}
	if err := r.server.Err(); err != nil {
		t.Errorf("the connection ended with the queue: %v", err)
	}
	r.in.Close()
	<-r.server.Gone()
	if err := r.server.Err(); err != io.EOF {
		t.Errorf("the connection ended with %v, want EOF", err)
	}
}

func TestServerEndOfStreamInterruptsHandlers(t *testing.T) {
	entered, cause := make(chan bool), make(chan error)
	r := rigServer(t, 2, func(job *Job, res *wire.Result) {
		entered <- true
		<-job.Done()
		cause <- context.Cause(job)
	})
	r.send(append(execute(1, ""), execute(2, "")...))
	<-entered
	<-entered
	r.in.Close()
	if err := <-r.served; err != io.EOF {
		t.Errorf("Serve returned %v while handlers run, want EOF", err)
	}
	for range 2 {
		if err := <-cause; err != errTestCause {
			t.Errorf("a handler was interrupted by %v", err)
		}
	}
}

func TestServerWriteErrorEndsIt(t *testing.T) {
	r := rigServer(t, 1, func(*Job, *wire.Result) {})
	r.outEnd.Close()
	r.send(execute(1, ""))
	if err := <-r.served; err != io.ErrClosedPipe {
		t.Errorf("Serve returned %v, want the write's error", err)
	}
}

func TestServerPanicAndGoexitKeepTheSlot(t *testing.T) {
	r := rigServer(t, 1, func(job *Job, res *wire.Result) {
		switch string(job.Payload) {
		case "panic":
			panic(strings.Repeat("boom", 3))
		case "goexit":
			res.Payload = []byte("must not be sent")
			runtime.Goexit()
		}
	})
	for seq, payload := range []string{"panic", "goexit", "goexit", "panic"} {
		r.send(execute(uint64(seq+1), payload))
		res := r.result(uint64(seq+1), ipc.OutcomePanic)
		if !bytes.Contains(res.Message, []byte(map[string]string{"panic": "boomboomboom", "goexit": "runtime.Goexit"}[payload])) {
			t.Errorf("%s says %q", payload, res.Message)
		}
		if !bytes.Contains(res.Stack, []byte("TestServerPanicAndGoexitKeepTheSlot")) || len(res.Payload) > 0 {
			t.Errorf("%s: payload %q, stack\n%s", payload, res.Payload, res.Stack)
		}
	}
	r.send(execute(5, ""))
	r.result(5, ipc.OutcomeCompleted)
}

func TestServerLargeResult(t *testing.T) {
	r := rigServer(t, 1, func(job *Job, res *wire.Result) {
		var n int
		fmt.Sscan(string(job.Payload), &n)
		res.Payload = bytes.Repeat([]byte{7}, n)
	})
	for seq, n := range []int{joinLimit, joinLimit + 1, 1<<20 - 48} {
		r.send(execute(uint64(seq+1), fmt.Sprint(n)))
		res := r.result(uint64(seq+1), ipc.OutcomeCompleted)
		if len(res.Payload) != n || bytes.Count(res.Payload, []byte{7}) != n {
			t.Errorf("result of %d bytes came as %d", n, len(res.Payload))
		}
	}
	r.send(execute(4, fmt.Sprint(1<<20-47)))
	if res := r.result(4, ipc.OutcomePermanent); string(res.Message) != "result of 1048577 bytes is over the limit of 1048576" {
		t.Errorf("message %q", res.Message)
	}
}

func TestServerProgressStopsAtTheResult(t *testing.T) {
	jobs := make(chan *Job, 1)
	r := rigServer(t, 1, func(job *Job, _ *wire.Result) { jobs <- job })
	r.send(execute(1, ""))
	r.result(1, ipc.OutcomeCompleted)
	if err := (<-jobs).Progress(0.5, "late"); err != nil {
		t.Error(err)
	}
	r.send(execute(2, ""))
	r.result(2, ipc.OutcomeCompleted) // and no Progress before it
}

// TestServerSaysReadyFirst sends frames early that ask for an answer.
func TestServerSaysReadyFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hello := wire.AppendControl(nil, ipc.TypeHello, 0, 0, ipc.Hello{Slots: 1, MaxFrame: minMaxFrame})
		early := wire.AppendHeader(execute(1, ""), ipc.TypeRecall, 0, 1, 0)
		var out bytes.Buffer
		server, err := NewServer(bytes.NewReader(append(hello, early...)), &out, ServerWork{
			Handle: func(*Job, *wire.Result) {}, Base: context.Background(), Cause: func(ipc.Cause) error { return errTestCause },
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the reader has done what it will do
		if err := server.Serve(ipc.Ready{}, nil); err != nil && err != io.EOF {
			t.Error(err)
		}
		server.Wait()
		if f, err := wire.NewReader(&out, 0).Next(); err != nil || f.Type != ipc.TypeReady {
			t.Errorf("the first frame has type %d (%v), want Ready", f.Type, err)
		}
	})
}

// A slot that leaves because no more tasks come must not leave the stream unread while others
// are at work.
func TestServerReadsWhileTheLastTasksRun(t *testing.T) {
	for slots := 1; slots <= 3; slots++ {
		for name, end := range map[string]func(r *serverRig){
			"cancel": func(r *serverRig) {
				r.send(wire.AppendControl(nil, ipc.TypeCancel, 0, 1, ipc.Cancel{Cause: ipc.CauseCancelled}))
			},
			"end of the stream": func(r *serverRig) { r.in.Close() },
		} {
			t.Run(fmt.Sprintf("%s, %d slots", name, slots), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					entered := make(chan bool)
					r := rigServer(t, slots, func(job *Job, _ *wire.Result) { entered <- true; <-job.Done() })
					r.send(execute(1, ""))
					<-entered
					time.Sleep(10 * lookTime) // an idle slot reads, and the lookout knows
					r.send(wire.AppendHeader(nil, ipc.TypeDrain, 0, 0, 0))
					go end(r)
					if f, err := r.out.Next(); name == "cancel" && (err != nil || f.Type != ipc.TypeResult) {
						t.Errorf("%v, %v", f, err)
					}
					go r.outEnd.Close()
				})
			})
		}
	}
}
