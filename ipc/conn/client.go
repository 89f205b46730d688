package conn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// ErrProtocol wraps every reason why a worker's stream cannot be trusted any more.
var ErrProtocol = errors.New("bad frame")

// inlinePayload is the largest payload copied into the write buffer; a larger one
// is written from where it is.
const inlinePayload = 16 << 10

// Callbacks receive what a worker says. Client.Run calls them one at a time, from its
// own goroutine. Slices are valid during the call. An error ends Run: the worker lies.
type Callbacks interface {
	Ready(ipc.Ready) error
	// Results receives all the answers that one read brought.
	Results([]wire.Result) error
	Recalled(ids []uint64) error
	Progress(seq uint64, p ipc.Progress)
	Beat(ipc.Beat)
	Recycle(ipc.Recycle)
	// Heard is called once for each read, whatever it brought: the worker lives.
	Heard()
}

// Client is the supervisor's end. Its sending methods only append to a buffer and never
// block; Flush writes it. One goroutine calls Run, one calls Flush, any may send.
type Client struct {
	r *wire.Reader
	w io.Writer
	n uint64 // bytes of frames that were understood; Run's

	mu   sync.Mutex
	out  segments // to be written, in order
	idle segments // the buffer of the last Flush, to be used again

	flush sync.Mutex // one Flush at a time
}

// NewClient returns the supervisor's end over a worker's response and request streams.
func NewClient(r io.Reader, w io.Writer, maxFrame int) *Client {
	return &Client{r: wire.NewReader(r, maxFrame), w: w}
}

// Execute appends tasks. Their payloads must not change until they are answered.
func (c *Client) Execute(tasks []wire.Execute) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range tasks {
		e := &tasks[i]
		c.out.head = wire.AppendExecuteHead(c.out.head, e)
		if len(e.Payload) <= inlinePayload {
			c.out.head = append(c.out.head, e.Payload...)
		} else {
			c.out.parts = append(c.out.parts, part{end: len(c.out.head), then: e.Payload})
		}
	}
}

// Hello appends the first frame.
func (c *Client) Hello(h ipc.Hello) { c.control(ipc.TypeHello, 0, h) }

// Cancel asks for the end of a task.
func (c *Client) Cancel(seq uint64, cause ipc.Cause) {
	c.control(ipc.TypeCancel, seq, ipc.Cancel{Cause: cause})
}

// Recall asks for all unstarted tasks from seq on.
func (c *Client) Recall(seq uint64) { c.empty(ipc.TypeRecall, seq) }

// Drain says that no task follows and that the worker shall leave when it has none.
func (c *Client) Drain() { c.empty(ipc.TypeDrain, 0) }

func (c *Client) control(t ipc.Type, id uint64, body any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.head = wire.AppendControl(c.out.head, t, 0, id, body)
}

func (c *Client) empty(t ipc.Type, id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.head = wire.AppendHeader(c.out.head, t, 0, id, 0)
}

// Flush writes what has been appended. It blocks while the pipe is full.
func (c *Client) Flush() error {
	c.flush.Lock()
	defer c.flush.Unlock()
	c.mu.Lock()
	out := c.out
	c.out, c.idle = c.idle, segments{}
	c.mu.Unlock()
	err := out.writeTo(c.w)
	out.reset()
	c.mu.Lock()
	c.idle = out
	c.mu.Unlock()
	return err
}

// Run reads frames until the stream ends, which is nil, or cannot be trusted, which
// is an error that wraps ErrProtocol.
func (c *Client) Run(cb Callbacks) error {
	if err := c.handshake(cb); err != nil {
		return c.verdict(err)
	}
	var results []wire.Result
	for {
		f, err := c.r.Next()
		if err != nil {
			return c.verdict(err)
		}
		cb.Heard()
		if f.Type != ipc.TypeResult {
			if err := c.dispatch(cb, f); err != nil {
				return c.verdict(err)
			}
			c.understood(f)
			continue
		}
		results, err = c.results(results[:0], f)
		// Answers before a broken frame are good: the worker wrote them.
		if len(results) > 0 {
			if err := cb.Results(results); err != nil {
				return c.verdict(err)
			}
		}
		clear(results)
		if err != nil {
			return c.verdict(err)
		}
	}
}

// results collects the answers that follow f without another read.
func (c *Client) results(rs []wire.Result, f wire.Frame) ([]wire.Result, error) {
	for {
		r, err := wire.DecodeResult(f)
		if err != nil {
			return rs, err
		}
		rs = append(rs, r)
		c.understood(f)
		// Slices of rs point into the reader's buffer, which stays in place as
		// long as nothing is read into it.
		if next, ok := c.r.Peek(); !ok || next != ipc.TypeResult {
			return rs, nil
		}
		if f, err = c.r.Next(); err != nil {
			return rs, err
		}
	}
}

func (c *Client) handshake(cb Callbacks) error {
	f, err := c.r.Next()
	if err != nil {
		return err
	}
	if f.Type != ipc.TypeReady {
		return fmt.Errorf("first frame is of type %d, not Ready", f.Type)
	}
	var r ipc.Ready
	if err := wire.DecodeControl(f, &r); err != nil {
		return err
	}
	cb.Heard()
	c.understood(f)
	return cb.Ready(r)
}

func (c *Client) understood(f wire.Frame) { c.n += uint64(wire.HeaderSize + len(f.Body)) }

// Understood is how many bytes of the stream, from its beginning, were frames that could
// be used. Call it after Run.
func (c *Client) Understood() uint64 { return c.n }

// Recover takes the results in what a dead worker had not written. What is no result, or
// none that can be used, ends it. Call it after Run.
func (c *Client) Recover(rest []byte, cb Callbacks) {
	c.r.Reset(bytes.NewReader(rest))
	for {
		f, err := c.r.Next()
		if err != nil || f.Type != ipc.TypeResult {
			return
		}
		results, err := c.results(nil, f)
		if len(results) > 0 && cb.Results(results) != nil || err != nil {
			return
		}
	}
}

func (c *Client) dispatch(cb Callbacks, f wire.Frame) error {
	switch f.Type {
	case ipc.TypeRecalled:
		ids, err := wire.DecodeIDs(f.Body)
		if err != nil {
			return err
		}
		return cb.Recalled(ids)
	case ipc.TypeBeat:
		var b ipc.Beat
		if err := wire.DecodeControl(f, &b); err != nil {
			return err
		}
		cb.Beat(b)
	case ipc.TypeProgress:
		var p ipc.Progress
		if err := wire.DecodeControl(f, &p); err != nil {
			return err
		}
		cb.Progress(f.ID, p)
	case ipc.TypeRecycle:
		var r ipc.Recycle
		if err := wire.DecodeControl(f, &r); err != nil {
			return err
		}
		cb.Recycle(r)
	default:
		if !f.Ignorable() {
			return fmt.Errorf("frame of unknown type %d", f.Type)
		}
	}
	return nil
}

// verdict sorts the ways a stream ends: the worker has gone, or it lies. A frame cut
// short is how a killed worker goes.
func (c *Client) verdict(err error) error {
	switch {
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return nil
	case errors.Is(err, wire.ErrTooLarge), errors.Is(err, wire.ErrMalformed):
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	default:
		return fmt.Errorf("%w: %v", ErrProtocol, err)
	}
}
