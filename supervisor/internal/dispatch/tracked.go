package dispatch

// jobList holds the tracked jobs that nobody has read, in the order of submission.
type jobList struct{ first, last *Job }

func (l *jobList) add(j *Job) {
	j.prev = l.last
	if l.last == nil {
		l.first = j
	} else {
		l.last.next = j
	}
	l.last = j
}

func (l *jobList) remove(j *Job) {
	if j.prev == nil {
		l.first = j.next
	} else {
		j.prev.next = j.next
	}
	if j.next == nil {
		l.last = j.prev
	} else {
		j.next.prev = j.prev
	}
	j.prev, j.next = nil, nil
}

// Tracked returns the tracked jobs that nobody has read, finished or not, in the order of
// submission.
func (d *Dispatcher) Tracked() []*Job {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []*Job
	for j := d.tracked.first; j != nil; j = j.next {
		all = append(all, j)
	}
	return all
}

// Read says that somebody has a tracked job's result, or does not want it. The job was
// submitted.
func (j *Job) Read() {
	d := j.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if !j.tracked {
		return
	}
	j.tracked = false
	d.tracked.remove(j)
	if j.unread {
		j.unread = false
		d.unread--
		d.admit()
	}
}
