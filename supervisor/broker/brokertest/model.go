package brokertest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var modelTests = []test{
	{name: "calls in any order", run: func(r *rig) {
		round, failed := 0, false
		rapid.Check(r.TB, func(t *rapid.T) {
			if r.kit.Rounds > 0 && round >= r.kit.Rounds && !failed {
				return
			}
			round++
			passed := false
			defer func() { failed = failed || !passed }() // then it goes on, for a shorter way to fail
			try := *r
			try.TB = t
			newModel(&try, fmt.Sprint("round", round)).play(t)
			passed = true
		})
	}},
	{name: "traffic", settings: lapsing, run: func(r *rig) { r.traffic([]*rig{r}, 1000, nil) }},
	{name: "traffic on two brokers", settings: lapsing, run: twice(func(r, other *rig) { r.traffic([]*rig{r, other}, 500, nil) })},
}

// model is what a pool must look like from outside after any calls, one after the other.
type model struct {
	*rig
	pool   string
	paused bool
	tasks  map[string]*modelTask // by id, from Enqueue on
}

type modelTask struct {
	state      task.State
	scheduled  bool // waits for a time that does not come
	dead       bool // there is a letter
	unique     string
	concurrent string
	starts     int
	delivery   int
	lease      *broker.Lease // while it is leased
}

func newModel(r *rig, pool string) *model {
	return &model{rig: r, pool: pool, tasks: map[string]*modelTask{}}
}

func (m *model) play(t *rapid.T) {
	defer m.leave()
	t.Repeat(map[string]func(*rapid.T){
		"enqueue": m.enqueueOne, "lease": m.leaseOne, "ack": m.ackOne, "nack": m.nackOne, "begin": m.beginOne,
		"extend": m.extendAll, "cancel": m.cancelOne, "revive": m.reviveOne, "bury": m.buryOne, "pause": m.pauseAll, "": m.look,
	})
}

// leave ends what is left, so that the next round finds the store as quiet as this one did.
func (m *model) leave() {
	for id, mt := range m.tasks {
		if mt.lease != nil {
			m.ack(mt.lease)
		} else if !mt.state.Final() {
			m.ok(m.Cancel(m.ctx, id))
		}
		if mt.dead {
			m.ok(m.Bury(m.ctx, id))
		}
	}
	m.ok(m.Pause(m.ctx, m.pool, false))
}

// limits are those of the concurrency keys.
var limits = map[string]int{"one": 1, "two": 2}

func (m *model) enqueueOne(t *rapid.T) {
	id := m.pool + rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"}).Draw(t, "id")
	unique := rapid.SampledFrom([]string{"", "", "u", "v"}).Draw(t, "unique")
	concurrent := rapid.SampledFrom([]string{"", "", "one", "two"}).Draw(t, "concurrent")
	scheduled := rapid.IntRange(0, 5).Draw(t, "scheduled") == 0
	msg := message(id, inPool(m.pool))
	msg.Task.Priority = rapid.IntRange(-2, 2).Draw(t, "priority")
	if unique != "" {
		msg.UniqueKey = m.pool + unique
	}
	if concurrent != "" {
		msg.ConcurrencyKey, msg.ConcurrencyLimit = m.pool+concurrent, limits[concurrent]
	}
	if scheduled {
		msg.NotBefore = time.Now().Add(time.Hour)
	}
	err := one(m.Enqueue(m.ctx, []*broker.Message{msg}))
	switch {
	case m.tasks[id] != nil:
		m.want(err, broker.ErrDuplicate)
	case m.holder(unique) != "":
		m.isHeld(err, msg.UniqueKey, m.holder(unique))
	default:
		m.ok(err)
		m.tasks[id] = &modelTask{scheduled: scheduled, unique: unique, concurrent: concurrent}
	}
}

// holder is the task that holds a unique key.
func (m *model) holder(key string) string {
	for id, mt := range m.tasks {
		if key != "" && mt.unique == key && !mt.state.Final() {
			return id
		}
	}
	return ""
}

// free says whether a task could be leased.
func (m *model) free(mt *modelTask) bool {
	if m.paused || mt.state.Final() || mt.lease != nil || mt.scheduled {
		return false
	}
	leased := 0
	for _, other := range m.tasks {
		if other.lease != nil && other.concurrent == mt.concurrent {
			leased++
		}
	}
	return mt.concurrent == "" || leased < limits[mt.concurrent]
}

func (m *model) leaseOne(t *rapid.T) {
	m.pick(t, m.free) // or skip: there is something to lease
	leases, err := m.Lease(m.ctx, m.pool, 1)
	m.ok(err)
	l := leases[0]
	mt := m.tasks[l.Task.ID]
	if len(leases) != 1 || mt == nil || !m.free(mt) {
		m.Fatalf("leased %q, which is not to be had: %+v", l.Task.ID, mt)
	}
	mt.delivery++
	if l.Delivery != mt.delivery || l.History.Starts != mt.starts {
		m.Fatalf("leased %q: delivery %d after %d starts, want %+v", l.Task.ID, l.Delivery, l.History.Starts, mt)
	}
	mt.state, mt.lease = task.StateRunning, l
}

func isHeldTask(mt *modelTask) bool { return mt.lease != nil }

// pick draws a task of a kind, or skips the action.
func (m *model) pick(t *rapid.T, kind func(*modelTask) bool) (string, *modelTask) {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(m.tasks)) {
		if kind(m.tasks[id]) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		t.Skip("none")
	}
	id := rapid.SampledFrom(ids).Draw(t, "which")
	return id, m.tasks[id]
}

func (m *model) ackOne(t *rapid.T) {
	_, mt := m.pick(t, isHeldTask)
	s := rapid.SampledFrom([]task.Status{task.Completed, task.Dead, task.Rejected, task.Cancelled}).Draw(t, "status")
	l := mt.lease
	m.end(s, l)
	mt.lease, mt.dead = nil, s == task.Dead || s == task.Rejected
	mt.state = map[task.Status]task.State{
		task.Completed: task.StateCompleted, task.Dead: task.StateDead, task.Rejected: task.StateDead, task.Cancelled: task.StateCancelled,
	}[s]
	m.want(one(m.Ack(m.ctx, answers([]*broker.Lease{l}))), broker.ErrFinished)
	m.want(m.Nack(m.ctx, l, 0), broker.ErrLost)
}

func (m *model) nackOne(t *rapid.T) {
	_, mt := m.pick(t, isHeldTask)
	l := mt.lease
	l.History.Starts += rapid.IntRange(0, 1).Draw(t, "starts")
	var delay time.Duration
	if mt.scheduled = rapid.Bool().Draw(t, "later"); mt.scheduled {
		delay = time.Hour
	}
	m.ok(m.Nack(m.ctx, l, delay))
	mt.lease, mt.starts, mt.state = nil, l.History.Starts, task.StateQueued
	if mt.starts > 0 {
		mt.state = task.StateRetrying
	}
	m.want(m.Nack(m.ctx, l, 0), broker.ErrLost)
}

func (m *model) beginOne(t *rapid.T) {
	_, mt := m.pick(t, isHeldTask)
	m.ok(m.Begin(m.ctx, mt.lease))
}

func (m *model) extendAll(t *rapid.T) {
	var leases []*broker.Lease
	for _, mt := range m.tasks {
		if mt.lease != nil {
			leases = append(leases, mt.lease)
		}
	}
	for _, err := range m.Extend(m.ctx, leases) {
		m.ok(err)
	}
}

// cancelOne cancels what is not leased: what then becomes of a leased task is not said.
func (m *model) cancelOne(t *rapid.T) {
	id, mt := m.pick(t, func(mt *modelTask) bool { return mt.lease == nil })
	err := m.Cancel(m.ctx, id)
	if mt.state.Final() {
		m.want(err, broker.ErrFinished)
		return
	}
	m.ok(err)
	mt.state, mt.scheduled = task.StateCancelled, false
}

func (m *model) reviveOne(t *rapid.T) {
	id, mt := m.pick(t, func(mt *modelTask) bool { return mt.state.Final() })
	err := m.Revive(m.ctx, id)
	switch {
	case !mt.dead:
		m.want(err, broker.ErrNotFound)
	case m.holder(mt.unique) != "":
		m.isHeld(err, m.pool+mt.unique, m.holder(mt.unique))
	default:
		m.ok(err)
		*mt = modelTask{unique: mt.unique, concurrent: mt.concurrent}
	}
}

func (m *model) buryOne(t *rapid.T) {
	id, mt := m.pick(t, func(mt *modelTask) bool { return mt.state.Final() })
	err := m.Bury(m.ctx, id)
	if mt.dead {
		m.ok(err)
		mt.dead = false
		return
	}
	m.want(err, broker.ErrNotFound)
}

func (m *model) pauseAll(t *rapid.T) {
	m.paused = rapid.Bool().Draw(t, "paused")
	m.ok(m.Pause(m.ctx, m.pool, m.paused))
}

// look compares all that can be seen.
func (m *model) look(*rapid.T) {
	want := broker.Counts{Paused: m.paused}
	for id, mt := range m.tasks {
		switch rec, err := m.Get(m.ctx, id); {
		case err != nil:
			m.Fatalf("Get of %s: %v", id, err)
		case rec.State != mt.state && !(mt.state == task.StateRetrying && !mt.scheduled && rec.State == task.StateQueued):
			m.Fatalf("%s is %v, want %v", id, rec.State, mt.state)
		}
		switch {
		case mt.lease != nil:
			want.Leased++
		case mt.state.Final():
		case mt.scheduled:
			want.Scheduled++
		default:
			want.Queued++
		}
		if mt.dead {
			want.Dead++
		}
		if _, err := m.DeadLetter(m.ctx, id); (err == nil) != mt.dead || err != nil && !errors.Is(err, broker.ErrNotFound) {
			m.Fatalf("letter of %s: %v", id, err)
		}
	}
	m.counts(m.pool, want)
}
