package memory_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/task"
)

const modelLease = time.Second

// model is the obvious broker.
type model struct {
	t       *testing.T
	b       *memory.Broker
	epoch   time.Time
	paused  bool
	tasks   []*modelTask // one of each id
	letters []*modelTask // dead, the oldest first
	leases  []modelLeased
}

type modelTask struct {
	msg       *broker.Message
	state     task.State
	ready     time.Time
	freed     time.Time // when its unique key is free; zero if only by its result
	lapses    time.Time // while it is leased
	delivery  int
	starts    int
	begun     int
	cancelled bool
}

// modelLeased is a lease that was given, whatever has become of it.
type modelLeased struct {
	task  *modelTask
	lease *broker.Lease
}

func newModel(t *testing.T) *model {
	return &model{t: t, b: memory.New(memory.Config{LeaseTime: modelLease}), epoch: time.Now()}
}

func (m *model) expect(got, want error) {
	m.t.Helper()
	if !errors.Is(got, want) {
		m.t.Fatalf("got error %v, want %v", got, want)
	}
}

// find returns what has an id, or nil.
func (m *model) find(id string) *modelTask {
	i := slices.IndexFunc(m.tasks, func(mt *modelTask) bool { return mt.msg.Task.ID == id })
	if i < 0 {
		return nil
	}
	return m.tasks[i]
}

func (m *model) enqueue(id string, y byte) {
	msg := m.message(id, y)
	errs := m.b.Enqueue(m.t.Context(), []*broker.Message{msg})
	var err error
	if errs != nil {
		err = errs[0]
	}
	if m.find(id) != nil {
		m.expect(err, broker.ErrDuplicate)
		return
	}
	m.accept(msg, err)
}

// accept adds what was not refused because of its unique key.
func (m *model) accept(msg *broker.Message, err error) bool {
	var held *broker.HeldError
	if holder := m.holder(msg.UniqueKey); holder != "" {
		if !errors.As(err, &held) || held.Holder != holder {
			m.t.Fatalf("got %v, want that the key is held by %s", err, holder)
		}
		return false
	}
	m.expect(err, nil)
	mt := &modelTask{msg: msg, ready: msg.NotBefore}
	if msg.UniqueTTL > 0 {
		mt.freed = time.Now().Add(msg.UniqueTTL)
	}
	m.tasks = append(m.tasks, mt)
	return true
}

func (m *model) holder(key string) string {
	for _, mt := range m.tasks {
		if key != "" && mt.msg.UniqueKey == key && !mt.state.Final() && (mt.freed.IsZero() || time.Now().Before(mt.freed)) {
			return mt.msg.Task.ID
		}
	}
	return ""
}

// free says whether a task can be leased.
func (m *model) free(mt *modelTask) bool {
	if m.paused || mt.state.Final() || mt.state == task.StateRunning || time.Now().Before(mt.ready) {
		return false
	}
	leased := 0
	for _, other := range m.tasks {
		if other.state == task.StateRunning && other.msg.ConcurrencyKey == mt.msg.ConcurrencyKey {
			leased++
		}
	}
	return mt.msg.ConcurrencyKey == "" || leased < mt.msg.ConcurrencyLimit
}

func (m *model) key(mt *modelTask) int64 {
	return policy.Key(int64(mt.msg.Submitted.Sub(m.epoch)), mt.msg.Task.Priority)
}

func (m *model) lease(n int) {
	now, cancel := context.WithCancel(m.t.Context())
	cancel()
	leases, err := m.b.Lease(now, "pool", n)
	if len(leases) == 0 {
		m.expect(err, context.Canceled)
	}
	for _, l := range leases {
		mt := m.find(l.Task.ID)
		if !m.free(mt) {
			m.t.Fatalf("leased %s, which is not to be had", l.Task.ID)
		}
		for _, other := range m.tasks {
			if m.free(other) && m.key(other) < m.key(mt) {
				m.t.Fatalf("leased %s before %s", l.Task.ID, other.msg.Task.ID)
			}
		}
		mt.delivery++
		mt.begun, mt.state, mt.lapses = 0, task.StateRunning, time.Now().Add(modelLease)
		if l.Delivery != mt.delivery || l.History.Starts != mt.starts {
			m.t.Fatalf("%s: delivery %d, %d starts, want %+v", l.Task.ID, l.Delivery, l.History.Starts, mt)
		}
		m.leases = append(m.leases, modelLeased{mt, l})
	}
	if len(leases) < n && slices.ContainsFunc(m.tasks, m.free) {
		m.t.Fatalf("leased %d of %d, and there is more", len(leases), n)
	}
}

// pick is any lease that there ever was, and whether it is good.
func (m *model) pick(x byte) (l modelLeased, good error) {
	if len(m.leases) == 0 {
		return l, nil
	}
	l = m.leases[int(x)%len(m.leases)]
	if l.task.state != task.StateRunning || l.task.delivery != l.lease.Delivery {
		return l, broker.ErrLost
	}
	return l, nil
}

func (m *model) ack(x byte, s task.Status) {
	l, _ := m.pick(x)
	if l.task == nil {
		return
	}
	errs := m.b.Ack(m.t.Context(), []broker.Answer{{Lease: l.lease, Result: &task.Result{Task: l.lease.Task, Status: s}}})
	if l.task.state.Final() {
		m.expect(errs[0], broker.ErrFinished)
		return
	}
	if errs != nil {
		m.t.Fatal(errs)
	}
	l.task.state = map[task.Status]task.State{
		task.Completed: task.StateCompleted, task.Cancelled: task.StateCancelled, task.Dead: task.StateDead, task.Rejected: task.StateDead,
	}[s]
	if l.task.state == task.StateDead {
		m.letters = append(m.letters, l.task)
	}
}

func (m *model) nack(x byte, delay time.Duration, starts int) {
	l, good := m.pick(x)
	if l.task == nil {
		return
	}
	l.lease.History.Starts = l.task.starts + starts
	m.expect(m.b.Nack(m.t.Context(), l.lease, delay), good)
	if good == nil {
		l.task.starts += starts
		m.giveBack(l.task, time.Now().Add(delay))
	}
}

func (m *model) giveBack(mt *modelTask, ready time.Time) {
	mt.ready, mt.state = ready, task.StateQueued
	if mt.starts > 0 {
		mt.state = task.StateRetrying
	}
	if mt.cancelled {
		mt.state = task.StateCancelled
	}
}

func (m *model) extend(x byte) {
	l, good := m.pick(x)
	if l.task == nil {
		return
	}
	var err error
	if errs := m.b.Extend(m.t.Context(), []*broker.Lease{l.lease}); errs != nil {
		err = errs[0]
	}
	m.expect(err, good)
	if good == nil {
		l.task.lapses = time.Now().Add(modelLease)
	}
}

func (m *model) begin(x byte) {
	l, good := m.pick(x)
	if l.task == nil {
		return
	}
	m.expect(m.b.Begin(m.t.Context(), l.lease), good)
	if good == nil {
		l.task.begun = l.lease.History.Starts + 1
	}
}

func (m *model) cancel(id string) {
	err := m.b.Cancel(m.t.Context(), id)
	switch mt := m.find(id); {
	case mt == nil:
		m.expect(err, broker.ErrNotFound)
	case mt.state.Final():
		m.expect(err, broker.ErrFinished)
	case mt.state == task.StateRunning:
		m.expect(err, nil)
		mt.cancelled = true
	default:
		m.expect(err, nil)
		mt.state = task.StateCancelled
	}
}

func (m *model) letter(id string) int {
	return slices.IndexFunc(m.letters, func(mt *modelTask) bool { return mt.msg.Task.ID == id })
}

func (m *model) revive(id string) {
	err := m.b.Revive(m.t.Context(), id)
	i := m.letter(id)
	if i < 0 {
		m.expect(err, broker.ErrNotFound)
		return
	}
	old := m.letters[i]
	msg := *old.msg
	msg.NotBefore = time.Time{}
	if !msg.Expires.IsZero() {
		msg.Expires = time.Now().Add(msg.Expires.Sub(msg.Submitted))
	}
	msg.Submitted = time.Now()
	if m.accept(&msg, err) {
		m.letters = slices.Delete(m.letters, i, i+1)
		m.tasks = slices.DeleteFunc(m.tasks, func(mt *modelTask) bool { return mt == old })
	}
}

func (m *model) bury(id string) {
	err := m.b.Bury(m.t.Context(), id)
	if i := m.letter(id); i >= 0 {
		m.expect(err, nil)
		m.letters = slices.Delete(m.letters, i, i+1)
		return
	}
	m.expect(err, broker.ErrNotFound)
}

// pass does what time does.
func (m *model) pass() {
	now := time.Now()
	for _, mt := range m.tasks {
		if mt.state == task.StateRunning && !now.Before(mt.lapses) {
			switch {
			case mt.begun > 0:
				mt.starts = mt.begun
			case mt.delivery == 1:
				mt.starts++
			}
			m.giveBack(mt, mt.lapses)
		}
		if e := mt.msg.Expires; mt.state == task.StateQueued && mt.starts == 0 && !e.IsZero() && !now.Before(e) {
			mt.state = task.StateExpired
		}
	}
}

// look compares all that can be seen.
func (m *model) look() {
	m.t.Helper()
	want := broker.Counts{Paused: m.paused, Dead: len(m.letters)}
	for _, mt := range m.tasks {
		rec, err := m.b.Get(m.t.Context(), mt.msg.Task.ID)
		if err != nil || rec.State != mt.state {
			m.t.Fatalf("%s is %v (%v), want %v", mt.msg.Task.ID, rec.State, err, mt.state)
		}
		switch {
		case mt.state.Final():
		case mt.state == task.StateRunning:
			want.Leased++
		case time.Now().Before(mt.ready):
			want.Scheduled++
		default:
			want.Queued++
			want.Oldest = max(want.Oldest, time.Since(mt.msg.Submitted))
		}
	}
	got, err := m.b.Counts(m.t.Context(), "pool")
	if err != nil || got != want {
		m.t.Fatalf("counts are %+v (%v), want %+v", got, err, want)
	}
	letters, next, err := m.b.Dead(m.t.Context(), "", "", 100)
	if err != nil || next != "" || !slices.EqualFunc(letters, m.letters, func(l broker.DeadLetter, mt *modelTask) bool {
		return l.Message.Task.ID == mt.msg.Task.ID
	}) {
		m.t.Fatalf("%d letters (%q, %v), want %d", len(letters), next, err, len(m.letters))
	}
}
