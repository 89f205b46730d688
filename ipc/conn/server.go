package conn

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/scoreboard"
	"github.com/brood-run/brood/ipc/wire"
)

// Bounds of a Hello that a worker accepts.
const (
	maxSlots    = 1024
	minMaxFrame = 4 << 10
	maxMaxFrame = 1<<31 - 1
	maxHello    = 1 << 20 // bytes of its own frame
)

// JobHandler runs one task and fills in how it ended: outcome, message, delay and
// payload. The Result is the Server's own and reused: it must not be kept.
type JobHandler func(job *Job, res *wire.Result)

// ServerWork is what a Server needs to run tasks.
type ServerWork struct {
	// Handle is called on at most Hello.Slots goroutines at once. If it panics or
	// ends its goroutine, that is the attempt's outcome.
	Handle JobHandler
	// Cause translates why a task was cancelled into its context's cause.
	Cause func(ipc.Cause) error
	// Base is the parent of every task's context.
	Base context.Context
	// Crash lets a handler's panic end the process.
	Crash bool
}

// Server is a worker's end of a connection.
type Server struct {
	hello ipc.Hello
	in    *wire.Reader // of whom the queue lets read
	batch []*Job       // the same
	look  *time.Timer  // wakes the lookout
	out   serverWriter
	queue serverQueue
	work  ServerWork        // never changes
	epoch time.Time         // of the clock that tasks are measured with; never changes
	board *scoreboard.Board // set before the first executor starts; may be nil
	loops sync.WaitGroup    // every goroutine of the Server
	ready chan struct{}     // closed by Serve once Ready is on the stream
	gone  chan struct{}     // closed by fail
	once  sync.Once         // guards err and gone
	err   error             // why the connection ended; valid once gone is closed
}

// NewServer waits for the supervisor's Hello and starts reading what follows it, so
// that Gone tells of the supervisor's end from then on. A stream that ends before
// the Hello gives io.EOF.
func NewServer(r io.Reader, w io.Writer, work ServerWork) (*Server, error) {
	in := wire.NewReader(r, maxHello)
	hello, err := readHello(in)
	if err != nil {
		return nil, err
	}
	in.SetLimit(hello.MaxFrame)
	s := &Server{hello: hello, in: in, work: work, epoch: time.Now(), ready: make(chan struct{}), gone: make(chan struct{})}
	s.out.w = w
	s.look = time.NewTimer(time.Hour)
	s.look.Stop()
	s.queue.init(hello.Slots, func() { s.look.Reset(lookTime) })
	s.loops.Go(s.watch)
	return s, nil
}

func readHello(in *wire.Reader) (ipc.Hello, error) {
	var hello ipc.Hello
	f, err := in.Next()
	if err != nil {
		return hello, err
	}
	if f.Type != ipc.TypeHello {
		return hello, fmt.Errorf("%w: the first frame has type %d, not Hello", wire.ErrMalformed, f.Type)
	}
	if err := wire.DecodeControl(f, &hello); err != nil {
		return hello, err
	}
	switch {
	case hello.Slots < 1 || hello.Slots > maxSlots:
		err = fmt.Errorf("%w: Hello with %d slots, not 1 to %d", wire.ErrMalformed, hello.Slots, maxSlots)
	case hello.MaxFrame < minMaxFrame || hello.MaxFrame > maxMaxFrame:
		err = fmt.Errorf("%w: Hello with max_frame %d, not %d to %d", wire.ErrMalformed, hello.MaxFrame, minMaxFrame, maxMaxFrame)
	case hello.HeartbeatMS < 0:
		err = fmt.Errorf("%w: Hello with heartbeat_ms %d", wire.ErrMalformed, hello.HeartbeatMS)
	}
	return hello, err
}

// Hello is what the supervisor said first.
func (s *Server) Hello() ipc.Hello { return s.hello }

// Refuse answers that the worker will not serve, because of ready.Error.
func (s *Server) Refuse(ready ipc.Ready) error {
	return s.out.control(ipc.TypeReady, 0, 0, ready)
}

// Serve announces the worker and runs tasks, reporting to board unless it is nil.
//
// It returns nil once the supervisor has asked to drain and every task is answered;
// beats go on until the stream ends, so that a last errand of the worker's own does
// not look like a wedged process. Otherwise it returns why the connection ended, at
// once: handlers may still be running, their contexts cancelled. io.EOF and write
// errors mean that the supervisor is gone, wire.ErrMalformed and wire.ErrTooLarge
// that it cannot be understood.
func (s *Server) Serve(ready ipc.Ready, board *scoreboard.Board) error {
	s.board = board
	if err := s.out.control(ipc.TypeReady, 0, 0, ready); err != nil {
		s.fail(err)
		return s.err
	}
	if board != nil {
		s.out.hold(board, s.fail)
	}
	close(s.ready)
	if s.hello.Slots > 1 && board != nil {
		// Output of tasks that run at once cannot be told apart.
		s.queue.onTake(func(seq uint64) { board.Begin(seq, 0, 0, 0) })
	}
	var slots sync.WaitGroup
	slots.Add(s.hello.Slots)
	for slot := range s.hello.Slots {
		e := &serverExecutor{server: s, slot: slot, slots: &slots, meter: serverMeter{epoch: s.epoch}}
		if s.hello.Slots == 1 {
			e.meter.follow(board)
		}
		s.loops.Go(e.run)
	}
	s.loops.Go(s.lookout)
	s.loops.Go(s.beat)
	drained := make(chan struct{})
	s.loops.Go(func() {
		slots.Wait()
		s.queue.leave()
		close(drained)
	})
	select {
	case <-drained:
		if !s.ended() {
			return nil
		}
	case <-s.gone:
	}
	return s.err
}

func (s *Server) ended() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// Gone is closed when the connection has ended, Err then says why.
func (s *Server) Gone() <-chan struct{} { return s.gone }

// Err returns why the connection ended, nil as long as it has not.
func (s *Server) Err() error {
	if !s.ended() {
		return nil
	}
	return s.err
}

// Wait waits for the Server's goroutines, once Serve has returned. They end some
// time after Gone: when the handlers have returned and the reader's Read has.
func (s *Server) Wait() {
	s.loops.Wait()
	s.out.release()
}

// fail ends the connection; the first reason counts.
func (s *Server) fail(err error) {
	s.once.Do(func() {
		s.err = err
		close(s.gone)
		s.queue.close(s.work.Cause(ipc.CauseShutdown))
	})
}
