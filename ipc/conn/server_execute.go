package conn

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// maxStack bounds the stack that travels with a panic.
const maxStack = 64 << 10

// serverExecutor runs the tasks of one slot, one after the other, on one goroutine.
// Each result is on the stream, or in the outbox, before the next handler is entered:
// that is what lets a supervisor tell which tasks a dead worker had started.
type serverExecutor struct {
	server *Server
	slot   int
	slots  *sync.WaitGroup
	meter  serverMeter
	res    wire.Result // of the current task, reused
	job    *Job        // entered and not yet answered
	wrote  bool        // the last answer was written, which takes time
	goexit bool        // its handler is taking this goroutine down
}

func (e *serverExecutor) run() {
	defer e.leave()
	for {
		job, waited := e.server.queue.take(e.slot, e.flush, e.read)
		if job == nil {
			return
		}
		if !waited && !e.wrote {
			e.server.out.hurry()
		}
		e.job = job
		job.start = e.meter.begin(job.Seq, waited || e.wrote)
		e.call()
		if !e.finish() {
			return
		}
	}
}

// leave ends the slot, unless its goroutine was lost to a handler: then another
// one takes it over. With a panic on its way nothing may end before the process does.
func (e *serverExecutor) leave() {
	switch {
	case e.goexit && e.finish():
		e.goexit = false
		e.server.loops.Go(e.run)
	case e.job == nil:
		e.meter.close()
		e.slots.Done()
	}
}

// call enters the handler. A panic becomes the attempt's outcome, and so does
// runtime.Goexit, after which call does not return to its caller.
func (e *serverExecutor) call() {
	e.res = wire.Result{Seq: e.job.Seq}
	returned := false
	defer func() {
		if returned {
			return
		}
		value := recover()
		if value != nil && e.server.work.Crash {
			panic(value)
		}
		e.res = wire.Result{Seq: e.job.Seq, Outcome: ipc.OutcomePanic}
		e.res.Message = []byte("the handler called runtime.Goexit")
		if value != nil {
			e.res.Message = fmt.Appendf(nil, "%v", value)
		}
		e.goexit = value == nil
		stack := debug.Stack()
		e.res.Stack = stack[:min(len(stack), maxStack)]
	}()
	e.server.work.Handle(e.job, &e.res)
	returned = true
}

// read takes tasks off the stream: nobody else does, and the slot has none.
func (e *serverExecutor) read() {
	s := e.server
	s.queue.haveRead(s.read(), s.fail)
}

// flush writes the results that were held back: nothing follows them for now.
func (e *serverExecutor) flush() {
	if err := e.server.out.flush(); err != nil {
		e.server.fail(err)
	}
}

// finish answers the current task. It reports whether the connection still stands.
func (e *serverExecutor) finish() bool {
	job := e.job
	e.meter.end(&e.res)
	if n, limit := wire.ResultSize(&e.res), e.server.hello.MaxFrame; n > limit {
		e.res.Outcome, e.res.Payload, e.res.Stack = ipc.OutcomePermanent, nil, nil
		e.res.Message = fmt.Appendf(nil, "result of %d bytes is over the limit of %d", n, limit)
	}
	wrote, err := e.server.out.result(job, &e.res)
	e.job, e.res.Payload, e.wrote = nil, nil, wrote
	if err != nil {
		e.server.fail(err)
	}
	return err == nil
}
