package memory

import (
	"fmt"
	"testing"
)

// BenchmarkPushPop adds one item and takes one, of a queue that holds many: all of one
// rank, or of several in turn.
func BenchmarkPushPop(b *testing.B) {
	for _, ranks := range []int{1, 2, 10} {
		for _, held := range []int{1, 1000, 100_000} {
			b.Run(fmt.Sprintf("ranks=%d/held=%d", ranks, held), func(b *testing.B) {
				var q Queue[*int]
				v := new(int)
				key := int64(0)
				for ; key < int64(held); key++ {
					q.Push(int(key)%ranks, key, v)
				}
				b.ReportAllocs()
				for b.Loop() {
					q.Push(int(key)%ranks, key, v)
					q.Pop()
					key++
				}
			})
		}
	}
}

// BenchmarkReturn is an item that comes back: it is older than all that wait.
func BenchmarkReturn(b *testing.B) {
	var q Queue[*int]
	v := new(int)
	for key := range int64(1000) {
		q.Push(0, key, v)
	}
	b.ReportAllocs()
	for b.Loop() {
		q.Pop()
		q.Push(0, 0, v)
	}
}

// BenchmarkFilter takes one item in eight out of a queue and puts as many in again.
func BenchmarkFilter(b *testing.B) {
	for _, held := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("held=%d", held), func(b *testing.B) {
			var q Queue[*int]
			v := new(int)
			key := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				for q.Len() < held {
					q.Push(0, key, v)
					key++
				}
				n := 0
				q.Filter(func(*int) bool { n++; return n%8 != 0 })
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(held), "ns/item")
		})
	}
}
