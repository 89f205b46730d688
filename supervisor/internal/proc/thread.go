package proc

import "maps"

// thread is a goroutine that owns an OS thread and runs what it is sent.
type thread struct {
	jobs  chan func()
	end   chan struct{} // closed when nobody needs it any more
	setup error         // why it cannot be used; read after the first job has run

	users  int  // starts under way and processes whose lives are tied to it; with Spawner.mu
	failed bool // its setup did; with Spawner.mu
}

// confinement is what a thread has given up for good and, with itself, all that it
// starts. The zero value is a thread like any other.
type confinement struct {
	noNewPrivs bool
	rules      string // names the rules of a file system allow list; empty without
}

// newThread runs setup on the new thread first.
func (s *Spawner) newThread(setup func() error) *thread {
	t := &thread{jobs: make(chan func()), end: make(chan struct{})}
	s.wg.Go(func() {
		onOwnThread(func() {
			t.setup = setup()
			t.run(s.stopped)
		})
	})
	return t
}

// run does what the thread is for.
func (t *thread) run(stopped <-chan struct{}) {
	for {
		select {
		case job := <-t.jobs:
			job()
		case <-t.end:
			return
		case <-stopped:
			return
		}
	}
}

// threadFor chooses who forks. What a thread gave up cannot be taken back, so each
// confinement needs a thread of its own. The caller releases it.
func (s *Spawner) threadFor(c *Command) (*thread, error) {
	list, err := c.allowList()
	if err != nil {
		return nil, err
	}
	key := confinement{noNewPrivs: c.Limits.NoNewPrivs || list != nil, rules: list.String()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrSpawnerClosed
	}
	// Here and not when it is needed: a confined thread may be refused the file.
	if err := s.openNull(); err != nil {
		return nil, err
	}
	t := s.plain
	if key != (confinement{}) {
		t = s.confinedThread(key, list)
	}
	t.users++
	return t, nil
}

// confinedThread is called with mu held.
func (s *Spawner) confinedThread(key confinement, list *allowList) *thread {
	if t := s.confined[key]; t != nil {
		return t
	}
	// A list names files as they are now. When one is replaced the list changes, and
	// the thread of the old one has no more to do.
	for old, t := range s.confined {
		if t.users == 0 {
			close(t.end)
			delete(s.confined, old)
		}
	}
	t := s.newThread(func() error {
		if err := setNoNewPrivs(); err != nil || list == nil {
			return err
		}
		return list.enforce()
	})
	s.confined[key] = t
	return t
}

// discard has nobody else use a thread that could not be set up: the reason may pass.
func (s *Spawner) discard(t *thread) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.failed = true
	maps.DeleteFunc(s.confined, func(_ confinement, other *thread) bool { return other == t })
}

// release says that a start has failed or that its process is gone.
func (s *Spawner) release(t *thread) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.users--; t.users == 0 && t.failed {
		close(t.end)
	}
}
