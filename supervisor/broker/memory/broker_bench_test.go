package memory_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/task"
)

// BenchmarkRoundTrip enqueues, leases and answers tasks of 64 B, in batches, one after the other.
func BenchmarkRoundTrip(b *testing.B) {
	for _, size := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			q := memory.New(memory.Config{})
			defer q.Close()
			payload := make([]byte, 64)
			b.ReportAllocs()
			for n := 0; n < b.N; n += size {
				pass(b, q, "pool", messages("t", n, size, payload))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// BenchmarkProducersAndConsumers has two of each, on goroutines of their own.
func BenchmarkProducersAndConsumers(b *testing.B) {
	const batch, sides = 256, 2
	q := memory.New(memory.Config{})
	defer q.Close()
	payload := make([]byte, 64)
	b.ReportAllocs()
	var all sync.WaitGroup
	rounds := b.N/batch/sides + 1
	for side := range sides {
		pool := strconv.Itoa(side)
		all.Go(func() {
			for n := range rounds {
				check(b, q.Enqueue(b.Context(), messages(pool+"-", n*batch, batch, payload, pool)))
			}
		})
		all.Go(func() {
			for n := 0; n < rounds*batch; {
				n += settle(b, q, pool, batch)
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(rounds*batch*sides)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkManyKeys has tasks most of which wait for others with their concurrency key.
func BenchmarkManyKeys(b *testing.B) {
	const batch = 256
	q := memory.New(memory.Config{})
	defer q.Close()
	b.ReportAllocs()
	for n := 0; n < b.N; n += batch {
		all := messages("t", n, batch, nil)
		for i, m := range all {
			m.ConcurrencyKey, m.ConcurrencyLimit = strconv.Itoa(i%16), 2
		}
		pass(b, q, "pool", all)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}

func messages(prefix string, from, n int, payload []byte, pool ...string) []*broker.Message {
	all := make([]broker.Message, n)
	out := make([]*broker.Message, n)
	for i := range all {
		all[i] = broker.Message{Pool: "pool", Task: task.Task{ID: prefix + strconv.Itoa(from+i), Name: "work", Payload: payload}}
		if len(pool) > 0 {
			all[i].Pool = pool[0]
		}
		out[i] = &all[i]
	}
	return out
}

// pass sends messages through.
func pass(b *testing.B, q *memory.Broker, pool string, all []*broker.Message) {
	check(b, q.Enqueue(b.Context(), all))
	for n := 0; n < len(all); {
		n += settle(b, q, pool, len(all))
	}
}

// settle answers up to n.
func settle(b *testing.B, q *memory.Broker, pool string, n int) int {
	leases, err := q.Lease(b.Context(), pool, n)
	if err != nil {
		b.Fatal(err)
	}
	answers := make([]broker.Answer, len(leases))
	for i, l := range leases {
		answers[i] = broker.Answer{Lease: l, Result: &task.Result{Task: l.Task, Status: task.Completed, Started: 1}}
	}
	check(b, q.Ack(b.Context(), answers))
	return len(leases)
}

func check(b *testing.B, errs []error) {
	for _, err := range errs {
		if err != nil {
			b.Fatal(err)
		}
	}
}
