package conn

import (
	"errors"
	"testing"

	"github.com/brood-run/brood/ipc/wire"
)

func TestQueueLimits(t *testing.T) {
	job := func(seq uint64, size int) *Job {
		return &Job{Execute: wire.Execute{Seq: seq, Payload: make([]byte, size)}}
	}
	t.Run("tasks", func(t *testing.T) {
		var q serverQueue
		q.init(1, func() {})
		for seq := range uint64(maxQueuedTasks) {
			if err := q.push([]*Job{job(seq+1, 0)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := q.push([]*Job{job(maxQueuedTasks+1, 0)}); !errors.Is(err, wire.ErrTooLarge) {
			t.Errorf("one task too many: %v", err)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		var q serverQueue
		q.init(1, func() {})
		q.bytes = maxQueuedBytes // one task as large as all may be together
		if err := q.push([]*Job{job(1, 1)}); err != nil {
			t.Errorf("a single task is refused: %v", err)
		}
		if err := q.push([]*Job{job(2, 0)}); !errors.Is(err, wire.ErrTooLarge) {
			t.Errorf("one byte too many: %v", err)
		}
	})
	t.Run("bytes are given back", func(t *testing.T) {
		var q serverQueue
		q.init(1, func() {})
		if err := q.push([]*Job{job(1, 10), job(2, 20), job(5, 30), job(6, 40)}); err != nil {
			t.Fatal(err)
		}
		if j, _ := q.take(0, func() {}, nil); j.Seq != 1 || q.bytes != 90 {
			t.Errorf("took %d, %d bytes wait", j.Seq, q.bytes)
		}
		if waiting, _ := q.find(5); waiting == nil || q.bytes != 60 {
			t.Errorf("found %v, %d bytes wait", waiting, q.bytes)
		}
		if ids := q.recall(3); len(ids) != 1 || ids[0] != 6 || q.bytes != 20 {
			t.Errorf("recalled %v, %d bytes wait", ids, q.bytes)
		}
		if _, running := q.find(1); running == nil {
			t.Error("the running task is not known")
		}
	})
}
