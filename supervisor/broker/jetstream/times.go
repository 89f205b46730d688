package jetstream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
	"github.com/brood-run/brood/supervisor/task"
)

// What waits for its time is a message that the server publishes again when that has come: a task that
// is not to be leased before, and a reminder that a task expires. Queues cannot hold them: a stream
// either schedules messages or refuses them.
const (
	delays  = "d"
	expiry  = "x"
	waiting = "s" // the time has not come
	due     = "f" // it has
)

const (
	timesConsumer = "due"
	timesBatch    = 256
	// mostExpiring is how many tasks that expire are looked at at once: each may take askTime.
	mostExpiring = 16
	// recheck bounds how often it is looked whether a task that was leased when it expired still is.
	firstRecheck = time.Second
	lastRecheck  = time.Minute
)

func (n names) timed(stage, kind, pool, id string) string {
	return n.subject("t", stage, kind, token(pool), token(id))
}

// times is the stream of what waits for its time.
func (s *session) times() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: s.names.stream("t"), Subjects: []string{s.names.subject("t", ">")}, Retention: jetstream.WorkQueuePolicy,
		MaxMsgsPerSubject: 1, AllowDirect: true, AllowMsgSchedules: true, AllowRollup: true, FirstSeq: s.firstSeq(),
	}
}

// at has data published again at a time.
func (s *session) at(when time.Time, kind, pool, id string, data []byte) outgoing {
	return outgoing{
		subject: s.names.timed(waiting, kind, pool, id), data: data,
		header: nats.Header{
			"Nats-Schedule":        []string{"@at " + when.UTC().Format(time.RFC3339Nano)},
			"Nats-Schedule-Target": []string{s.names.timed(due, kind, pool, id)},
		},
	}
}

// remind stores that tasks expire, before they are queued: a reminder of nothing does no harm.
func (e *enqueuing) remind(ctx context.Context) {
	var out []outgoing
	var index []int
	for i, m := range e.messages {
		if e.errs[i] != nil || m.Expires.IsZero() {
			continue
		}
		data, err := encode(&storepb.Task{Id: m.Task.ID, Pool: m.Pool, Expires: stamp(m.Expires)})
		if err != nil {
			e.errs[i] = err
			continue
		}
		out = append(out, e.b.at(m.Expires, expiry, m.Pool, m.Task.ID, data))
		index = append(index, i)
	}
	for n, err := range e.b.publish(ctx, out) {
		e.errs[index[n]] = err
	}
}

// roomLater refuses delayed tasks of pools that have as many as they may.
func (e *enqueuing) roomLater(ctx context.Context) {
	room := map[string]int{}
	for i, m := range e.messages {
		if e.errs[i] != nil || !delayed(m) {
			continue
		}
		left, ok := room[m.Pool]
		if !ok {
			n, err := e.b.countDelayed(ctx, m.Pool)
			if err != nil {
				e.errs[i] = err
				continue
			}
			left = e.b.cfg.QueueSize - n
		}
		if room[m.Pool] = left - 1; left <= 0 {
			e.errs[i] = broker.ErrFull
		}
	}
}

// delayed says that a message's time has not come.
func delayed(m *broker.Message) bool { return !m.NotBefore.IsZero() && time.Until(m.NotBefore) > 0 }

// countDelayed is how many tasks of a pool are not in its queue yet.
func (b *Broker) countDelayed(ctx context.Context, pool string) (int, error) {
	return b.count(ctx, b.names.stream("t"), b.names.subject("t", "*", delays, token(pool), "*"))
}

// findDelayed looks for a task that is not in its pool's queue yet.
func (b *Broker) findDelayed(ctx context.Context, id string) (*queued, error) {
	s, err := b.last(ctx, b.names.stream("t"), b.names.subject("t", "*", delays, "*", token(id)))
	if err != nil {
		return nil, err
	}
	return b.read(s, b.names.stream("t"))
}

// dueNow handles messages whose time has come. What cannot be done now comes again. Tasks go first: to find out whether
// one that expires is leased takes its time.
func (b *Broker) dueNow(batch []jetstream.Msg) {
	var tasks, reminders []jetstream.Msg
	var messages, reminded []*broker.Message
	for _, m := range batch {
		var t storepb.Task
		if err := proto.Unmarshal(m.Data(), &t); err != nil {
			b.cfg.Logger.Error("what came due is damaged, it is lost", "subject", m.Subject(), "error", err)
			_ = m.Term() // it comes again if this is lost
			continue
		}
		message := &broker.Message{}
		fromTask(&t, message)
		if !isDelay(b.names, m.Subject()) {
			reminders, reminded = append(reminders, m), append(reminded, message)
			continue
		}
		message.Fresh = true
		tasks, messages = append(tasks, m), append(messages, message)
	}
	b.moveNow(tasks, messages)
	var work sync.WaitGroup
	room := make(chan struct{}, mostExpiring)
	for i, m := range reminders {
		room <- struct{}{}
		work.Go(func() {
			defer func() { <-room }()
			b.expire(m, reminded[i])
		})
	}
	work.Wait()
}

// moveNow brings tasks into their queues.
func (b *Broker) moveNow(tasks []jetstream.Msg, messages []*broker.Message) {
	if len(messages) == 0 {
		return
	}
	ctx, cancel := b.bound(b.ctx)
	defer cancel()
	e := &enqueuing{b: b, messages: messages, errs: make([]error, len(messages))}
	e.admit(ctx)
	e.ended(ctx)
	e.queue(ctx, func(*broker.Message) bool { return true })
	for i, m := range tasks {
		b.moved(m, messages[i], e.errs[i])
	}
}

func isDelay(n names, subject string) bool {
	prefix := n.subject("t", due, delays) + "."
	return len(subject) > len(prefix) && subject[:len(prefix)] == prefix
}

// moved ends what brought a task into its queue. ErrDuplicate: it was there before, from a try of which
// the end was lost.
func (b *Broker) moved(m jetstream.Msg, message *broker.Message, err error) {
	switch {
	case err == nil || errors.Is(err, broker.ErrDuplicate):
		_ = m.Ack() // it comes again if this is lost
	default:
		b.cfg.Logger.Warn("a task whose time has come waits for room in its queue", "task", message.Task.ID, "pool", message.Pool, "error", err)
		_ = m.NakWithDelay(time.Second)
	}
}

// expire ends a task that was not started in time.
func (b *Broker) expire(m jetstream.Msg, reminder *broker.Message) {
	ctx, cancel := b.bound(b.ctx)
	defer cancel()
	q, err := b.find(ctx, reminder.Task.ID)
	switch {
	case errors.Is(err, broker.ErrNotFound):
	case err != nil:
		b.recheck(m)
		return
	case !q.message.Expires.Equal(reminder.Expires) || q.message.History.Starts > 0: // another one, or started
	case q.state == task.StateRunning:
		b.recheck(m)
		return
	default:
		err = b.end(ctx, q, &task.Result{
			Task: q.message.Task, Status: task.Expired, Err: &task.Error{Kind: task.KindExpired, Message: "it was not started in time"},
		})
		if err != nil && !errors.Is(err, broker.ErrFinished) {
			b.recheck(m)
			return
		}
	}
	_ = m.Ack() // it comes again if this is lost
}

// recheck has a reminder come again.
func (b *Broker) recheck(m jetstream.Msg) {
	wait := firstRecheck
	if meta, err := m.Metadata(); err == nil {
		wait = min(firstRecheck<<min(meta.NumDelivered, 10), lastRecheck)
	}
	_ = m.NakWithDelay(wait) // it comes again anyway
}
