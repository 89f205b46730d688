package conn

import (
	"fmt"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// readBatch is how many tasks the reader gathers before it hands them over: it
// saves a lock and a wake-up for each.
const readBatch = 64

// read is the reading goroutine. Before Ready is out it only watches for the end of
// the stream: an answer to an early frame would go first.
func (s *Server) read() {
	if f, err := s.in.Next(); err != nil {
		s.fail(err)
	} else {
		select {
		case <-s.ready:
			s.fail(s.serveFrames(f))
		case <-s.gone:
		}
	}
}

// serveFrames handles f and all frames after it. It hands tasks over whenever the next
// frame is not here yet, so that none waits for a read.
func (s *Server) serveFrames(f wire.Frame) error {
	var batch []*Job
	for {
		if f.Type == ipc.TypeExecute {
			job, err := s.job(f)
			if err != nil {
				return err
			}
			batch = append(batch, job)
		}
		if f.Type != ipc.TypeExecute || len(batch) == readBatch || !s.in.Buffered() {
			if err := s.queue.push(batch); err != nil {
				return err
			}
			clear(batch)
			batch = batch[:0]
		}
		if f.Type != ipc.TypeExecute { // it may be about the tasks just pushed
			if err := s.control(f); err != nil {
				return err
			}
		}
		var err error
		if f, err = s.in.Next(); err != nil {
			return err
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
