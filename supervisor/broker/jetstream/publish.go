package jetstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/brood-run/brood/supervisor/broker"
)

const (
	// chunk is how many messages are published before one waits for answers, and chunks how many of
	// those are on their way at once. A server refuses to hold more than 10,000 messages, or 128 MB,
	// of one stream that it has not stored yet.
	chunk      = 1024
	chunkBytes = 8 << 20
	chunks     = 4
)

// The server's codes for a message that expected to be another one's successor.
const (
	codeWrongLast   = 10071
	codeWrongLastBy = 10164
	codeInProcess   = 10158 // one with the same Nats-Msg-Id is being stored
)

// errExists: there is a message under this subject, and there may be one only.
var errExists = errors.New("subject is taken")

// errInProcess: another try to store the same message is under way, and may fail.
var errInProcess = errors.New("the same message is being stored")

// outgoing is a message to be stored.
type outgoing struct {
	subject string
	data    []byte
	header  nats.Header
}

// publisher stores messages and tells what became of each. All answers come to one subscription,
// which is much cheaper than a future for each message.
type publisher struct {
	nc      *nats.Conn
	line    *line
	inbox   string // the prefix of answers, with a dot at its end
	answers *nats.Subscription
	slots   chan struct{}
	timeout time.Duration // how long one chunk may take

	mu    sync.Mutex
	next  uint64
	calls map[uint64]*publication
}

// publication is one chunk that waits for its answers. Guarded by publisher.mu until done is closed.
type publication struct {
	errs   []error // errUnanswered until there is an answer
	left   int
	failed bool
	done   chan struct{}
}

var errUnanswered = errors.New("no answer")

func newPublisher(nc *nats.Conn, line *line, timeout time.Duration) (*publisher, error) {
	p := &publisher{
		nc: nc, line: line, inbox: nc.NewInbox() + ".",
		slots: make(chan struct{}, chunks), timeout: timeout, calls: map[uint64]*publication{},
	}
	var err error
	if p.answers, err = nc.Subscribe(p.inbox+"*.*", p.answer); err != nil {
		return nil, err
	}
	return p, p.answers.SetPendingLimits(-1, -1) // bounded by chunks
}

// publish stores messages. The slice has an error for each, nil for what is stored; it is nil if
// there is none. Messages are stored in their order unless some are not stored.
func (p *publisher) publish(ctx context.Context, messages []outgoing) []error {
	if len(messages) <= chunk {
		return p.publishChunk(ctx, messages)
	}
	errs := make([]error, len(messages))
	for from := 0; from < len(messages); from += chunk {
		to := min(from+chunk, len(messages))
		copy(errs[from:to], p.publishChunk(ctx, messages[from:to]))
	}
	return errs
}

func (p *publisher) publishChunk(ctx context.Context, messages []outgoing) []error {
	if len(messages) == 0 {
		return nil
	}
	up := p.line.now()
	// A server may keep its answer to itself, and who leases has no deadline.
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return all(len(messages), unavailable(ctx.Err()))
	}
	call := &publication{errs: all(len(messages), errUnanswered), left: len(messages), done: make(chan struct{})}
	p.mu.Lock()
	p.next++
	number := p.next
	p.calls[number] = call
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.calls, number)
		p.mu.Unlock()
	}()
	p.send(number, call, messages)
	select {
	case <-call.done:
	case <-up.Done():
		p.abandon(call, errBroken)
	case <-ctx.Done():
		p.abandon(call, ctx.Err())
	}
	if !call.failed {
		return nil
	}
	return call.errs
}

// send writes messages out. What cannot be written is answered here.
func (p *publisher) send(number uint64, call *publication, messages []outgoing) {
	prefix := p.inbox + strconv.FormatUint(number, 36) + "."
	for i := range messages {
		m := &messages[i]
		err := p.nc.PublishMsg(&nats.Msg{
			Subject: m.subject, Reply: prefix + strconv.Itoa(i), Data: m.data, Header: m.header,
		})
		if err != nil {
			p.mu.Lock()
			call.settle(i, unwritten(err))
			p.mu.Unlock()
		}
	}
}

// unwritten says why a message could not be written.
func unwritten(err error) error {
	if errors.Is(err, nats.ErrMaxPayload) {
		return fmt.Errorf("%w: %w", broker.ErrTooLarge, err)
	}
	return unavailable(err)
}

// settle notes the answer for one message.
func (c *publication) settle(i int, err error) {
	if i >= len(c.errs) || c.errs[i] != errUnanswered {
		return
	}
	c.errs[i] = err
	c.failed = c.failed || err != nil
	if c.left--; c.left == 0 {
		close(c.done)
	}
}

// abandon gives up on what has no answer yet; it may have been stored all the same.
func (p *publisher) abandon(call *publication, cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.nc.IsClosed() {
		cause = nats.ErrConnectionClosed
	}
	for i := range call.errs {
		call.settle(i, unavailable(cause))
	}
}

// answer handles what the server says to one message.
func (p *publisher) answer(m *nats.Msg) {
	number, i, ok := strings.Cut(m.Subject[len(p.inbox):], ".")
	if !ok {
		return
	}
	call, err := strconv.ParseUint(number, 36, 64)
	index, err2 := strconv.Atoi(i)
	if err != nil || err2 != nil {
		return
	}
	stored := verdict(m)
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.calls[call]; c != nil {
		c.settle(index, stored)
	}
}

// verdict reads an answer. The server writes an error first, so that the answers to what was
// stored need not be parsed.
func verdict(m *nats.Msg) error {
	if len(m.Header) > 0 {
		return unavailable(nats.ErrNoResponders)
	}
	if !bytes.HasPrefix(m.Data, []byte(`{"error"`)) {
		if bytes.HasSuffix(m.Data, []byte(`"duplicate": true}`)) {
			return errExists
		}
		return nil
	}
	var answer struct{ Error jetstream.APIError }
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return unavailable(err)
	}
	switch {
	case strings.Contains(answer.Error.Description, "maximum messages per subject"),
		answer.Error.ErrorCode == codeWrongLast, answer.Error.ErrorCode == codeWrongLastBy:
		return errExists
	case answer.Error.ErrorCode == codeInProcess:
		return unavailable(errInProcess)
	case strings.Contains(answer.Error.Description, "maximum messages exceeded"):
		return broker.ErrFull
	case strings.Contains(answer.Error.Description, "too large"), strings.Contains(answer.Error.Description, "exceeds maximum"):
		return fmt.Errorf("%w: %w", broker.ErrTooLarge, &answer.Error)
	}
	return unavailable(&answer.Error)
}

// all is a slice of n times the same error.
func all(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// unavailable says that the server could not do something, and that it is not known whether it did. A connection
// that is lost is made again and again; it is closed by Close only.
func unavailable(cause error) error {
	switch {
	case errors.Is(cause, nats.ErrConnectionClosed):
		return broker.ErrClosed
	case errors.Is(cause, nats.ErrReconnectBufExceeded): // there is no buffer; see connect
		cause = errAway
	}
	return fmt.Errorf("%w: %w", broker.ErrUnavailable, cause)
}
