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
//
// It also says who reads the stream: a slot that has nothing else to do, so that a task need
// not pass from one goroutine to another, or the lookout when all slots are busy.
type serverQueue struct {
	mu       sync.Mutex
	filled   sync.Cond        // a task came, none will, or nobody reads
	waiting  []*Job           // ascending by Seq
	bytes    int              // payload and metadata of the waiting ones
	last     uint64           // highest Seq accepted
	running  []*Job           // by slot
	draining bool             // no more tasks come
	closed   bool             // the connection has ended
	taken    func(seq uint64) // called in order of start, inside the critical section; may be nil

	reading bool   // somebody reads
	reads   uint64 // how often somebody has read
	seen    uint64 // reads, when the lookout last looked
	watched bool   // the lookout will look again
	left    bool   // all slots have ended
	look    func() // has it look; does not block
}

// init says what the lookout is told by. Somebody reads already.
func (q *serverQueue) init(slots int, look func()) {
	q.filled.L = &q.mu
	q.running = make([]*Job, slots)
	q.reading = true
	q.look = look
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

// take gives a slot its next task, nil when none will come. It says whether it had to wait.
// Before it waits, and before the end, it calls idle; if nobody reads meanwhile, read.
func (q *serverQueue) take(slot int, idle, read func()) (job *Job, waited bool) {
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
		if q.reading {
			q.filled.Wait()
			continue
		}
		q.reading = true
		q.mu.Unlock()
		read()
		q.mu.Lock()
	}
	defer q.watch()
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

// watch has the lookout look if nobody reads any more: all other slots may be busy.
func (q *serverQueue) watch() {
	if !q.reading && !q.watched && !q.closed {
		q.watched = true
		q.look()
	}
}

// haveRead ends somebody's reading, with an error the connection.
func (q *serverQueue) haveRead(err error, fail func(error)) {
	if err != nil {
		fail(err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reading = false
	q.reads++
	q.filled.Signal()
}

// lookOut tells the lookout whether to read, which is when nobody has since it last asked, and
// whether to look again soon.
func (q *serverQueue) lookOut() (read, again bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.reading, q.closed:
		q.watched = false // until a slot has a task
		return false, false
	case q.reads != q.seen && !q.left:
		q.seen = q.reads
		return false, true
	}
	q.reading = true
	return true, true
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

// leave says that all slots have ended: from now on the lookout reads.
func (q *serverQueue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.left = true
	q.look()
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
