package memory_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// FuzzCalls makes any calls, in fake time, and compares what comes of each with a model that
// keeps a list and does everything by looking at all of it.
func FuzzCalls(f *testing.F) {
	f.Add([]byte{0, 1, 1, 1, 0, 0, 2, 0, 0})
	f.Add([]byte{0, 1, 0x40, 0, 2, 0x40, 1, 3, 0, 2, 0, 1, 1, 1, 0})                // a concurrency key
	f.Add([]byte{0, 1, 0x10, 0, 2, 0x10, 1, 1, 0, 2, 0, 1, 0, 2, 0x10, 7, 1, 0})    // a unique key, dead, revived
	f.Add([]byte{0, 1, 0, 1, 1, 0, 10, 3, 0, 10, 7, 0, 1, 1, 0, 3, 0, 3, 10, 8, 0}) // lapsed, and given back
	f.Add([]byte{0, 1, 8, 10, 3, 0, 0, 2, 4, 1, 1, 0, 10, 3, 0, 1, 1, 0, 9, 1, 0})  // expired, delayed
	f.Add([]byte{0, 0, 0, 0, 1, 0, 1, 1, 0, 10, 2, 0, 4, 0, 0, 10, 3, 0})           // one of two extended
	f.Fuzz(func(t *testing.T, calls []byte) {
		if len(calls) <= 300 { // enough of every one
			replay(t, calls)
		}
	})
}

// The same with calls at random, whenever tests are run.
func TestCallsAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		calls := make([]byte, 1500)
		seed := [32]byte{}
		binary.LittleEndian.PutUint64(seed[:], rapid.Uint64().Draw(r, "seed"))
		rand.NewChaCha8(seed).Read(calls) // even, as rapid's own bytes are not
		replay(t, calls)
	})
}

// replay makes calls, each of which is three bytes.
func replay(t *testing.T, calls []byte) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t)
		defer m.b.Close()
		for c := range slices.Chunk(calls, 3) {
			if len(c) == 3 {
				m.call(c[0], c[1], c[2])
				synctest.Wait()
				m.pass()
				m.look()
			}
		}
	})
}

// call makes one call; what its two arguments mean depends on which it is.
func (m *model) call(which, x, y byte) {
	id := strconv.Itoa(int(x % 64))
	switch which % 11 {
	case 0:
		m.enqueue(id, y)
	case 1:
		m.lease(1 + int(x%4))
	case 2:
		m.ack(x, [...]task.Status{task.Completed, task.Dead, task.Rejected, task.Cancelled}[y%4])
	case 3:
		m.nack(x, time.Duration(y>>4)*250*time.Millisecond, int(y%2))
	case 4:
		m.extend(x)
	case 5:
		m.begin(x)
	case 6:
		m.cancel(id)
	case 7:
		m.revive(id)
	case 8:
		m.bury(id)
	case 9:
		m.paused = x%2 == 1
		m.expect(m.b.Pause(m.t.Context(), "pool", m.paused), nil)
	case 10:
		time.Sleep(time.Duration(x%16) * 250 * time.Millisecond) // of the fake clock
	}
}

// message is one whose properties are the bits of y.
func (m *model) message(id string, y byte) *broker.Message {
	msg := &broker.Message{Pool: "pool", Task: task.Task{ID: id, Options: task.Options{Priority: int(y % 3)}}}
	if y&4 != 0 {
		msg.NotBefore = time.Now().Add(1250 * time.Millisecond)
	}
	if y&8 != 0 {
		msg.Expires = time.Now().Add(750 * time.Millisecond)
	}
	if y&0x10 != 0 {
		msg.UniqueKey = "u"
	}
	if y&0x20 != 0 {
		msg.UniqueTTL = 1500 * time.Millisecond
	}
	if y&0x40 != 0 {
		msg.ConcurrencyKey, msg.ConcurrencyLimit = "one", 1
	}
	if y&0x80 != 0 {
		msg.ConcurrencyKey, msg.ConcurrencyLimit = "two", 2
	}
	return msg
}
