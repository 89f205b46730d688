package jetstream

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// ringTime is how long a request for messages waits at the server, and ringBeat how often the
	// server says that it has not forgotten it.
	ringTime = 30 * time.Second
	ringBeat = 5 * time.Second
	// mostAhead bounds the bytes that are read ahead of a pool. A message that is larger than what is left of its
	// level's share is read by itself.
	mostAhead = 64 << 20
)

// puller reads one level of a pool. It asks for messages and has at most one request at a time.
// pool.mu guards it.
type puller struct {
	p     *pool
	level int
	next  string // where to ask
	inbox string
	sub   *nats.Subscription

	number   uint64    // of the latest request
	asked    int       // messages that the request is for
	expected int       // messages that may still come; 0: nothing is asked for
	large    bool      // the next message is too large to be asked for together with others
	ringing  bool      // the request waits until there is a message: there was none
	whole    bool      // the request was for all that was wanted, not just for one to be woken by
	drained  bool      // nothing more was there in this round of leasing
	heard    time.Time // when the server said something last
	denied   error     // a request was turned down: nothing is asked for until somebody has looked why; see lost.go
	told     string    // why, to whoever reads the log, since the last message came
	hushed   string    // why, when it was not worth telling yet; the same

	buffer []*arrival // messages that are not handed out yet, in their order
	marked uint64     // how far the level is known to have been leased; see reclaim.go

	tenure tenure // when doubt was found out; of shared servers only
	doubt  uint64 // what was queued up to this sequence may have been leased without the server knowing
}

// arrival is a message that was delivered, which is a lease.
type arrival struct {
	level    int
	reply    string // where to acknowledge it
	data     []byte
	seq      uint64 // in its stream
	delivery uint64
	renewed  atomic.Pointer[time.Time] // when its lease began or was extended
	claim    *claim                    // what is in it, once somebody looked
}

func newPuller(p *pool, level int) (*puller, error) {
	q := &puller{
		p: p, level: level, inbox: p.b.nc.NewInbox() + ".",
		next: "$JS.API.CONSUMER.MSG.NEXT." + p.stream + "." + levelToken(level),
	}
	var err error
	if q.sub, err = p.b.nc.Subscribe(q.inbox+"*", q.receive); err != nil {
		return nil, unavailable(err)
	}
	return q, q.sub.SetPendingLimits(-1, -1) // bounded by what is asked for
}

// pull is a request for messages, the fields as the server names them.
type pull struct {
	Batch    int           `json:"batch"`
	MaxBytes int           `json:"max_bytes,omitempty"`
	NoWait   bool          `json:"no_wait,omitempty"`
	Expires  time.Duration `json:"expires,omitempty"`
	Beat     time.Duration `json:"idle_heartbeat,omitempty"`
}

// fetch asks for what is there now, at most n messages.
func (q *puller) fetch(n int) error { return q.ask(pull{Batch: n, NoWait: true}) }

// ring asks for n messages as soon as there are any; what is there then is all that comes.
func (q *puller) ring(n int, whole bool) error {
	if err := q.ask(pull{Batch: n, NoWait: true, Expires: ringTime, Beat: ringBeat}); err != nil {
		return err
	}
	q.ringing, q.whole = true, whole
	return nil
}

func (q *puller) ask(r pull) error {
	if q.large {
		r.Batch = 1
	}
	if r.Batch > 1 {
		r.MaxBytes = max(q.room(), 1)
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	q.number++
	q.asked, q.expected, q.ringing, q.heard = r.Batch, r.Batch, false, time.Now()
	if err := q.p.b.nc.PublishRequest(q.next, q.inbox+strconv.FormatUint(q.number, 36), body); err != nil {
		q.reset()
		return unavailable(err)
	}
	return nil
}

// room is how many bytes of the level may still be read ahead.
func (q *puller) room() int {
	room := mostAhead / len(q.p.levels)
	for _, a := range q.buffer {
		room -= len(a.data)
	}
	return room
}

// tooLarge ends a request for more than there is room for, of which the server had left so many messages when it came
// to one that is too large.
func (q *puller) tooLarge(left int) {
	q.large = left == q.asked
	// What was delivered before may come after the word that this is all: a cluster agrees on it first.
	if q.expected -= left; q.expected <= 0 {
		q.answered()
		q.drained = !q.large
	}
}

// reset forgets the request. Should messages come for it all the same, they are taken.
func (q *puller) reset() { q.expected, q.ringing = 0, false }

// answered ends the request: that is all there was for it.
func (q *puller) answered() {
	q.drained = !q.ringing || q.whole
	q.reset()
}

// What the server says of a request for so many bytes when the next message has more than are left, and when it has sent
// all messages that the request is for.
const (
	tooLargeAnswer = "Message Size Exceeds MaxBytes"
	wholeAnswer    = "Batch Completed"
)

// receive takes what the server sends.
func (q *puller) receive(m *nats.Msg) {
	var a *arrival
	status := m.Header.Get("Status")
	if status == "" {
		var err error
		if a, err = arrived(m, q.level); err != nil {
			q.p.b.cfg.Logger.Error("a message of the queue makes no sense", "subject", m.Subject, "error", err)
			return
		}
	}
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	q.heard = time.Now()
	switch {
	case a != nil:
		q.buffer = append(q.buffer, a)
		q.large, q.told, q.hushed = false, "", ""
		if q.expected--; q.expected > 0 {
			return
		}
		q.answered()
	case status == "100", m.Header.Get("Description") == wholeAnswer, !strings.HasSuffix(m.Subject, "."+strconv.FormatUint(q.number, 36)):
		return
	case m.Header.Get("Description") == tooLargeAnswer:
		left, _ := strconv.Atoi(m.Header.Get("Nats-Pending-Messages"))
		q.tooLarge(left)
	default: // there is no more, or not for now
		q.answered()
		if status != "404" && status != "408" {
			q.turnDown(fmt.Errorf("the server does not hand out tasks: %s %s", status, m.Header.Get("Description")))
		}
	}
	q.p.signal()
}

// arrived reads what the server says about a message in the subject of its acknowledgement:
// $JS.ACK.stream.consumer.deliveries.sequence.consumer's.time.pending, with two more tokens after ACK if
// the server is one of several domains.
func arrived(m *nats.Msg, level int) (*arrival, error) {
	const fields = 9
	tokens := strings.Split(m.Reply, ".")
	if len(tokens) > fields {
		tokens = tokens[2:]
	}
	if len(tokens) < fields {
		return nil, fmt.Errorf("its acknowledgement goes to %q", m.Reply)
	}
	delivery, err := strconv.ParseUint(tokens[4], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("its number of deliveries is %q", tokens[4])
	}
	seq, err := strconv.ParseUint(tokens[5], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("its sequence is %q", tokens[5])
	}
	a := &arrival{level: level, reply: m.Reply, data: m.Data, seq: seq, delivery: delivery}
	a.renew(time.Now())
	return a, nil
}

// head opens the first message that is there, nil if there is none. What cannot be read is ended, loudly: it
// would come again for ever.
func (q *puller) head() *claim {
	for len(q.buffer) > 0 {
		a := q.buffer[0]
		if a.claim != nil {
			return a.claim
		}
		var err error
		if a.claim, err = a.open(q.p); err == nil {
			return a.claim
		}
		q.p.b.cfg.Logger.Error("a task is lost", "pool", q.p.name, "error", err)
		_ = q.p.b.nc.Publish(a.reply, ackTerm) // it comes again if this is lost
		q.buffer = q.buffer[1:]
	}
	q.buffer = nil
	return nil
}

// pop takes the message that head has opened.
func (q *puller) pop() *claim {
	c := q.buffer[0].claim
	q.buffer[0] = nil
	q.buffer = q.buffer[1:]
	return c
}

func (a *arrival) renew(at time.Time) { a.renewed.Store(&at) }
