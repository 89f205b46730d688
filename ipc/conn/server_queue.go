package conn

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/brood-run/brood/ipc/wire"
)

// Limits on what may wait in a worker. A supervisor keeps far below them.
const (
	maxQueuedTasks = 65536
	maxQueuedBytes = 1 << 30
)

// serverQueue holds the tasks that wait and knows those that run. A task leaves
// it in one critical section, to its slot or back to the supervisor, never both.
type serverQueue struct {
	mu       sync.Mutex
	filled   sync.Cond        // a task came, or none will
	waiting  []*Job           // ascending by Seq
	bytes    int              // payload and metadata of the waiting ones
	last     uint64           // highest Seq accepted
	running  []*Job           // by slot
	draining bool             // no more tasks come
	closed   bool             // the connection has ended
	taken    func(seq uint64) // called in order of start, inside the critical section; may be nil
}

func (q *serverQueue) init(slots int) {
	q.filled.L = &q.mu
	q.running = make([]*Job, slots)
}

func (q *serverQueue) onTake(f func(seq uint64)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = f
}

// push appends tasks in their order.
func (q *serverQueue) push(jobs []*Job) error {
	if len(jobs) == 0 {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range jobs {
		if j.Seq <= q.last {
			return fmt.Errorf("%w: Execute %d after %d", wire.ErrMalformed, j.Seq, q.last)
		}
		if q.draining {
			return fmt.Errorf("%w: Execute %d after Drain", wire.ErrMalformed, j.Seq)
		}
		q.last = j.Seq
		q.bytes += j.size()
		q.waiting = append(q.waiting, j)
	}
	if len(q.waiting) > maxQueuedTasks || len(q.waiting) > 1 && q.bytes > maxQueuedBytes {
		return fmt.Errorf("%w: %d tasks of %d bytes wait here, the limits are %d and %d",
			wire.ErrTooLarge, len(q.waiting), q.bytes, maxQueuedTasks, maxQueuedBytes)
	}
	if len(jobs) == 1 || len(q.running) == 1 {
		q.filled.Signal()
	} else {
		q.filled.Broadcast()
	}
	return nil
}

// take gives a slot its next task, nil when none will come. It says whether it had
// to wait. Before it waits, and before the end, it calls idle.
func (q *serverQueue) take(slot int, idle func()) (job *Job, waited bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running[slot] = nil
	if len(q.waiting) == 0 {
		q.mu.Unlock()
		idle()
		q.mu.Lock()
	}
	for len(q.waiting) == 0 && !q.draining && !q.closed {
		waited = true
		q.filled.Wait()
	}
	if len(q.waiting) == 0 || q.closed {
		return nil, waited
	}
	job, q.waiting[0] = q.waiting[0], nil
	q.waiting = q.waiting[1:]
	q.bytes -= job.size()
	q.running[slot] = job
	if q.taken != nil {
		q.taken(job.Seq)
	}
	return job, waited
}

// find looks a task up by id; a waiting one is removed.
func (q *serverQueue) find(id uint64) (waiting, running *Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range q.running {
		if j != nil && j.Seq == id {
			return nil, j
		}
	}
	i, found := q.search(id)
	if !found {
		return nil, nil
	}
	waiting = q.waiting[i]
	q.bytes -= waiting.size()
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return waiting, nil
}

// recall removes every waiting task from id on and returns their ids.
func (q *serverQueue) recall(id uint64) []uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	from, _ := q.search(id)
	ids := make([]uint64, 0, len(q.waiting)-from)
	for _, j := range q.waiting[from:] {
		ids = append(ids, j.Seq)
		q.bytes -= j.size()
	}
	clear(q.waiting[from:])
	q.waiting = q.waiting[:from]
	return ids
}

func (q *serverQueue) search(id uint64) (int, bool) {
	return slices.BinarySearchFunc(q.waiting, id, func(j *Job, id uint64) int { return cmp.Compare(j.Seq, id) })
}

// drain lets the slots end once nothing waits.
func (q *serverQueue) drain() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.draining = true
	q.filled.Broadcast()
}

// close drops what waits and interrupts what runs.
func (q *serverQueue) close(cause error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.waiting = true, nil
	for _, j := range q.running {
		if j != nil {
			j.interrupt(cause)
		}
	}
	q.filled.Broadcast()
}

// ids returns the ids of the tasks that run and have not been answered, and the
// number of waiting ones.
func (q *serverQueue) ids() (running []uint64, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range q.running {
		if j != nil && !j.ended() {
			running = append(running, j.Seq)
		}
	}
	return running, len(q.waiting)
}
