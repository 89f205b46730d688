package conn

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/pipe"
	"github.com/brood-run/brood/ipc/wire"
)

const (
	// readBatch is how many tasks are gathered before they are handed over: it saves a
	// lock for each.
	readBatch = 64
	// lookTime is how long nobody reads, at most twice, while the slots are busy. No task
	// of less pays for a second goroutine.
	lookTime = time.Millisecond
)

// watch reads until Ready is out, but handles nothing: an answer to an early frame would go
// first. It is there to see the end of the stream.
func (s *Server) watch() {
	err := s.in.Await()
	if err == nil {
		select {
		case <-s.ready:
		case <-s.gone:
		}
	}
	s.queue.haveRead(err, s.fail)
}

// read handles what has arrived, at most readBatch tasks; if nothing has, it waits. Who calls
// it has the queue's leave to.
func (s *Server) read() error {
	defer func() { clear(s.batch) }()
	s.batch = s.batch[:0]
	for {
		f, err := s.in.Next()
		if err != nil {
			return err
		}
		if f.Type != ipc.TypeExecute { // it may be about the tasks before it
			if err := s.queue.push(s.batch); err != nil {
				return err
			}
			return s.control(f)
		}
		job, err := s.job(f)
		if err != nil {
			return err
		}
		s.batch = append(s.batch, job)
		// None waits for a frame that is not here yet.
		if len(s.batch) == readBatch || !s.in.Buffered() {
			return s.queue.push(s.batch)
		}
	}
}

// lookout is the goroutine that reads while all slots are busy: a task that runs for long must
// keep neither a Cancel nor the end of the stream from being seen.
func (s *Server) lookout() {
	for {
		select {
		case <-s.gone:
			return
		case <-s.look.C:
		}
		mine, again := s.queue.lookOut()
		if mine {
			pipe.WakeMonitor() // a task that runs for long may yet fill all processors
			s.queue.haveRead(s.read(), s.fail)
		}
		if again {
			s.look.Reset(lookTime)
		}
	}
}

// job copies an Execute out of the read buffer: its handler may keep the payload.
func (s *Server) job(f wire.Frame) (*Job, error) {
	e, err := wire.DecodeExecute(f)
	if err != nil {
		return nil, err
	}
	own := make([]byte, len(e.Payload)+len(e.Meta))
	n := copy(own, e.Payload)
	copy(own[n:], e.Meta)
	e.Payload, e.Meta = own[:n:n], own[n:]
	return &Job{Execute: e, server: s}, nil
}

func (s *Server) control(f wire.Frame) error {
	switch f.Type {
	case ipc.TypeCancel:
		var c ipc.Cancel
		if err := wire.DecodeControl(f, &c); err != nil {
			return err
		}
		return s.cancel(f.ID, c.Cause)
	case ipc.TypeRecall:
		return s.out.frame(func(dst []byte) []byte {
			return wire.AppendIDs(dst, ipc.TypeRecalled, f.ID, s.queue.recall(f.ID))
		})
	case ipc.TypeDrain:
		s.queue.drain()
		return nil
	}
	if f.Ignorable() {
		return nil
	}
	return fmt.Errorf("%w: a worker cannot take a frame of type %d", wire.ErrMalformed, f.Type)
}

// cancel stops the task of that id: a waiting one is answered here and now, a
// running one learns it from its context, any other is answered already.
func (s *Server) cancel(id uint64, cause ipc.Cause) error {
	waiting, running := s.queue.find(id)
	switch {
	case running != nil:
		running.interrupt(s.work.Cause(cause))
	case waiting != nil:
		res := wire.Result{Seq: id, Outcome: ipc.OutcomeUnstarted, Message: []byte("cancelled before it was started")}
		return s.out.frame(func(dst []byte) []byte { return wire.AppendResult(dst, &res) })
	}
	return nil
}
