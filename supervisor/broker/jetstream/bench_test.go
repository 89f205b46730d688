package jetstream

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// batch makes n messages of 64 bytes with new ids.
func batch(prefix string, n int) []*broker.Message {
	messages := make([]*broker.Message, n)
	payload := make([]byte, 64)
	for i := range messages {
		messages[i] = &broker.Message{
			Task: task.Task{ID: fmt.Sprintf("%s-%020d", prefix, i), Name: "echo", Payload: payload}, Pool: poolName, Fresh: true,
		}
	}
	return messages
}

// BenchmarkEnqueue submits tasks in batches. An operation is a task.
func BenchmarkEnqueue(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		for _, fresh := range []bool{true, false} {
			b.Run(fmt.Sprintf("batch=%d/fresh=%v", size, fresh), func(b *testing.B) {
				broker := embedded(b)
				b.ReportAllocs()
				for done, round := 0, 0; done < b.N; done, round = done+size, round+1 {
					messages := batch(fmt.Sprint(round), size)
					for _, m := range messages {
						m.Fresh = fresh
					}
					enqueue(b, broker, messages...)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
			})
		}
	}
}

// BenchmarkRoad has one goroutine that submits tasks and one that leases and answers them, at the same time. An
// operation is a task.
func BenchmarkRoad(b *testing.B) {
	for where, open := range map[string]func(b *testing.B) *Broker{
		"embedded": func(b *testing.B) *Broker { return embedded(b) },
		"server":   func(b *testing.B) *Broker { return openAt(b, Config{URL: oneServer(b).url()}) },
		"cluster":  func(b *testing.B) *Broker { return openAt(b, Config{URL: urls(cluster(b))}) },
	} {
		for _, size := range []int{1, 256, 1000} {
			b.Run(fmt.Sprintf("%s/batch=%d", where, size), func(b *testing.B) { benchmarkRoad(b, open(b), size) })
		}
	}
}

func benchmarkRoad(b *testing.B, broker *Broker, size int) {
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	var both sync.WaitGroup
	both.Go(func() {
		for done := 0; done < b.N; done += size {
			enqueue(b, broker, batch(fmt.Sprint(done), size)...)
		}
	})
	both.Go(func() {
		for done := 0; done < (b.N+size-1)/size*size; {
			leases := lease(b, broker, size)
			ack(b, broker, leases...)
			done += len(leases)
		}
	})
	both.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// cpu is the processor time that this process has used, which other load does not change much.
func cpu() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // cannot fail for this process
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
