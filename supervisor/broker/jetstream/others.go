package jetstream

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// others are the brokers on the same server that are known to be there, so that a question to all is answered as soon as
// each of them has answered it, and not after askTime only.
type others struct {
	b     *Broker
	inbox string // the prefix of answers, with a dot at its end; it names this broker, too

	mu     sync.Mutex
	known  map[string]bool // who has been heard of, and not been silent since
	whole  bool            // everybody was waited for once
	number uint64          // of the latest question
	open   map[uint64]*question
}

// question is one that waits for answers. Guarded by others.mu until done is closed.
type question struct {
	silent map[string]bool // who is known and has not answered
	runs   map[string]bool // tasks that somebody runs
	done   chan struct{}
	ended  bool
}

// testimony is what a broker says of itself: when it comes, and when it is asked.
type testimony struct {
	Broker string   `json:"broker"`
	Runs   []string `json:"runs,omitempty"`
}

// newOthers begins to hear the others, and tells them that there is one more.
func newOthers(b *Broker) (*others, error) {
	o := &others{b: b, inbox: b.peers.NewInbox() + ".", known: map[string]bool{}, open: map[uint64]*question{}}
	for subject, handle := range map[string]nats.MsgHandler{
		o.inbox + "*":                   o.hearAnswer,
		b.names.subject("x", "runs"):    o.answer,
		b.names.subject("x", "arrived"): o.hearAnswer,
	} {
		if _, err := b.peers.Subscribe(subject, handle); err != nil {
			return nil, unavailable(err)
		}
	}
	return o, o.announce()
}

// announce tells the others of this broker.
func (o *others) announce() error {
	data, err := json.Marshal(testimony{Broker: o.inbox})
	if err != nil {
		return err
	}
	if err := o.b.peers.Publish(o.b.names.subject("x", "arrived"), data); err != nil {
		return unavailable(err)
	}
	return nil
}

// answer says which of the tasks that somebody asks for are run here.
func (o *others) answer(m *nats.Msg) {
	var ids []string
	if err := json.Unmarshal(m.Data, &ids); err != nil {
		return // it is of a version that is not known here, and waits in vain
	}
	t := testimony{Broker: o.inbox}
	for _, id := range ids {
		if h := o.b.held.get(id); h != nil && h.runs() {
			t.Runs = append(t.Runs, id)
		}
	}
	if data, err := json.Marshal(t); err == nil {
		_ = m.Respond(data) // they ask again
	}
}

// hearAnswer notes what a broker says.
func (o *others) hearAnswer(m *nats.Msg) {
	number, _ := strconv.ParseUint(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:], 36, 64)
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.open[number]
	if len(m.Header) > 0 { // there is nobody else
		clear(o.known)
		if o.whole = true; q != nil {
			q.end()
		}
		return
	}
	var t testimony
	if err := json.Unmarshal(m.Data, &t); err != nil || t.Broker == "" {
		return
	}
	o.known[t.Broker] = true
	if q == nil {
		return
	}
	for _, id := range t.Runs {
		q.runs[id] = true
	}
	if delete(q.silent, t.Broker); o.whole && len(q.silent) == 0 {
		q.end()
	}
}

// end requires others.mu.
func (q *question) end() {
	if !q.ended {
		q.ended = true
		close(q.done)
	}
}

// running asks all others which of the tasks they run.
func (o *others) running(ctx context.Context, ids []string) (map[string]bool, error) {
	data, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.number++
	number := o.number
	q := &question{silent: maps.Clone(o.known), runs: map[string]bool{}, done: make(chan struct{})}
	o.open[number] = q
	if o.whole && len(q.silent) == 0 {
		q.end() // but for who comes at this moment, and tells of that
	}
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		delete(o.open, number)
		o.mu.Unlock()
	}()
	if err := o.b.peers.PublishRequest(o.b.names.subject("x", "runs"), o.inbox+strconv.FormatUint(number, 36), data); err != nil {
		return nil, unavailable(err)
	}
	late := time.NewTimer(askTime)
	defer late.Stop()
	select {
	case <-q.done:
	case <-late.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !q.ended { // who was silent is not waited for again before it says something
		o.whole = true
		maps.DeleteFunc(o.known, func(who string, _ bool) bool { return q.silent[who] })
	}
	return maps.Clone(q.runs), nil
}
