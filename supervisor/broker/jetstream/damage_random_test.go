package jetstream

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// A wound is a damage to a file, and says which of the bytes that were there it touches.
type wound struct {
	name    string
	inflict func(r *rand.Rand, data []byte) (damaged []byte, from, to int)
}

func span(r *rand.Rand, n int) (from, to int) {
	from = r.IntN(n)
	return from, min(n, from+1+r.IntN(1+r.IntN(n)/4))
}

var wounds = []wound{
	{"flip", func(r *rand.Rand, data []byte) ([]byte, int, int) {
		at := r.IntN(len(data))
		data[at] ^= 1 << r.IntN(8)
		return data, at, at + 1
	}},
	{"zero", func(r *rand.Rand, data []byte) ([]byte, int, int) {
		from, to := span(r, len(data))
		clear(data[from:to])
		return data, from, to
	}},
	{"scramble", func(r *rand.Rand, data []byte) ([]byte, int, int) {
		from, to := span(r, len(data))
		for i := from; i < to; i++ {
			data[i] = byte(r.Uint32())
		}
		return data, from, to
	}},
	{"cut", func(r *rand.Rand, data []byte) ([]byte, int, int) {
		from := r.IntN(len(data))
		return data[:from], from, len(data)
	}},
	{"cut out", func(r *rand.Rand, data []byte) ([]byte, int, int) {
		from, to := span(r, len(data))
		return slices.Delete(data, from, to), from, to
	}},
	{"insert", func(r *rand.Rand, data []byte) ([]byte, int, int) {
		at, more := r.IntN(len(data)), make([]byte, r.IntN(5000))
		for i := range more {
			more[i] = byte(r.Uint32())
		}
		return slices.Insert(data, at, more...), at, at
	}},
}

// of finds the record of a task in a block.
func recordOf(data []byte, id string) (from, to int) {
	at := bytes.Index(data, []byte("brood.q.p.p0."+id+"\n")) // the message begins with a line feed
	if at < 0 {
		return 0, 0
	}
	from = at - 22
	return from, from + int(binary.LittleEndian.Uint32(data[from:])&^(1<<31))
}

const randomTasks, randomDone = 400, 100

// worn is a data directory of a server that has done the first of its tasks.
func worn(t testing.TB) (dir string) {
	dir = t.TempDir()
	b := opened(t, Config{Dir: dir})
	messages := many("t", randomTasks)
	for i, m := range messages {
		m.Task.Payload = bytes.Repeat([]byte{byte(i)}, i*i%700)
	}
	enqueue(t, b, messages...)
	for done := 0; done < randomDone; {
		leases := lease(t, b, randomDone-done)
		ack(t, b, leases...)
		done += len(leases)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// takeAll takes all that is to be had, and fails if anything is not as it was.
func takeAll(t testing.TB, b *Broker) map[string]bool {
	seen := map[string]bool{}
	for {
		c, err := b.Counts(t.Context(), poolName)
		if err != nil {
			t.Fatal(err)
		}
		if c.Queued == 0 {
			return seen
		}
		// What was done before may be counted until somebody looks at it, and is not to be had.
		ctx, cancel := contextFor(t, time.Second)
		leases, _ := b.Lease(ctx, poolName, randomTasks)
		cancel()
		for _, l := range leases {
			i, err := strconv.Atoi(l.Task.ID[2:])
			if err != nil || i < randomDone || seen[l.Task.ID] || !bytes.Equal(l.Task.Payload, bytes.Repeat([]byte{byte(i)}, i*i%700)) || l.Delivery != 1 {
				t.Errorf("%s is not as it was: delivery %d, payload %.40x", l.Task.ID, l.Delivery, l.Task.Payload)
			}
			seen[l.Task.ID] = true
		}
		ack(t, b, leases...)
	}
}

var lostInLog = regexp.MustCompile(`stream=brood_q_p .*lost="?(at most |at least )?(\d+)`)

// Whatever happens to a file of messages, each task of which no byte was touched is there, unchanged, no other comes
// back, and the log says how many are lost.
func TestRandomDamage(t *testing.T) {
	from := worn(t)
	name := filepath.Join("jetstream", "$G", "streams", "brood_q_p", "msgs", "1.blk")
	original, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(60) {
		how := wounds[seed%uint64(len(wounds))]
		t.Run(fmt.Sprintf("%s/%d", how.name, seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			copyDir(t, from, dir)
			damaged, at, end := how.inflict(rand.New(rand.NewPCG(seed, 0)), slices.Clone(original))
			harm(t, filepath.Join(dir, name), func([]byte) []byte { return damaged })
			if seed%2 == 0 { // as after a SIGKILL
				harm(t, filepath.Join(dir, filepath.Dir(name), "index.db"), func([]byte) []byte { return nil })
			}
			var log transcript
			b := openAt(t, Config{Dir: dir, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
			left, lost := takeAll(t, b), 0
			for i := randomDone; i < randomTasks; i++ {
				id := fmt.Sprintf("t-%06d", i)
				first, last := recordOf(original, id)
				touched := first < end && at < last || at == end && first < at && at < last
				if !left[id] {
					lost++
				}
				if !left[id] && !touched {
					t.Errorf("%s is lost, at %d-%d; the damage is at %d-%d", id, first, last, at, end)
				}
			}
			said := 0
			exact := true
			for _, m := range lostInLog.FindAllStringSubmatch(log.String(), -1) {
				n, _ := strconv.Atoi(m[2]) // it matched
				said, exact = said+n, exact && m[1] == ""
				if m[1] == "at least " {
					said = max(said, lost)
				}
			}
			if said < lost || exact && said > lost {
				t.Errorf("%d are lost, the log says: %s", lost, log.String())
			}
		})
	}
}

// A consumer's state has no checksum: the server would remove tasks that it takes for done.
func TestRandomDamageToState(t *testing.T) {
	from := worn(t)
	name := filepath.Join("jetstream", "$G", "streams", "brood_q_p", "obs", "p0", "o.dat")
	for seed := range uint64(96) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			copyDir(t, from, dir)
			harm(t, filepath.Join(dir, name), func(data []byte) []byte {
				at := int(seed) % (len(data) * 8) // each bit of a file that is small
				data[at/8] ^= 1 << (at % 8)
				return data
			})
			b := openAt(t, Config{Dir: dir})
			if left := takeAll(t, b); len(left) != randomTasks-randomDone {
				t.Errorf("%d tasks are there", len(left))
			}
		})
	}
}
