package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
)

// ErrSpawnerClosed is returned by Start after Close.
var ErrSpawnerClosed = errors.New("the spawner is closed")

// Spawner starts processes. The kernel kills a child that asked for it when the
// *thread* that forked it ends, not the process; Go ends threads when it likes. So one
// goroutine, locked to its thread until Close, forks them all.
type Spawner struct {
	plain *thread // forks all processes but those with no_new_privs

	stopped chan struct{} // closed by Close; ends the threads
	closing sync.Once
	wg      sync.WaitGroup // threads and one watcher per process

	// mu makes fork and registration one step for everybody who asks which
	// children are ours (see Reaper).
	mu     sync.Mutex
	closed bool
	null   *os.File         // standard input of the children; opened by the first fork
	init   *os.File         // the program of initProgram; made by the first namespace
	stray  error            // a thread is in a PID namespace that it cannot leave
	strict *thread          // can gain no privileges, nor can its children; started when first needed
	live   map[int]*Process // started and not reaped yet
	ended  map[int]string   // trees of reaped processes by group, kept for a Reaper; nil without one
}

// thread is a goroutine that owns an OS thread and runs what it is sent.
type thread struct {
	jobs  chan func()
	setup error // why it cannot be used; read after the first job has run
}

// NewSpawner starts the spawner's thread. Close ends it.
func NewSpawner() *Spawner {
	s := &Spawner{stopped: make(chan struct{}), live: map[int]*Process{}}
	s.plain = s.newThread(func() error { return nil })
	return s
}

// newThread runs setup on the new thread first.
func (s *Spawner) newThread(setup func() error) *thread {
	t := &thread{jobs: make(chan func())}
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
		case <-stopped:
			return
		}
	}
}

// Start starts a process. An error that wraps ErrCannotStart will be the same next
// time; others, such as a limit on processes, may pass.
func (s *Spawner) Start(ctx context.Context, c Command) (*Process, error) {
	if err := c.absolute(); err != nil {
		return nil, err
	}
	if err := c.Limits.Validate(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	t := s.threadFor(c.Limits)
	if t == nil {
		return nil, fmt.Errorf("cannot start %s: %w", c.Path, ErrSpawnerClosed)
	}
	p, err := s.forkOn(ctx, t, &c)
	if err != nil {
		return nil, err
	}
	if err := p.limit(c.Limits); err != nil {
		_ = p.Kill() // it may be over already
		<-p.Done()
		return nil, fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	return p, nil
}

// threadFor chooses who forks. no_new_privs cannot be taken back and is passed on
// to children, so it needs a thread of its own.
func (s *Spawner) threadFor(l Limits) *thread {
	if !l.NoNewPrivs {
		return s.plain
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.strict == nil && !s.closed {
		s.strict = s.newThread(setNoNewPrivs)
	}
	return s.strict
}

// forkOn has the process forked by a thread.
func (s *Spawner) forkOn(ctx context.Context, t *thread, c *Command) (p *Process, err error) {
	err = s.on(ctx, t, func() (err error) {
		p, err = s.fork(c)
		return err
	})
	if err != nil && !errors.Is(err, ErrCannotStart) {
		err = fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	return p, err
}

// on runs f on a thread; once begun, it is not given up.
func (s *Spawner) on(ctx context.Context, t *thread, f func() error) (err error) {
	done := make(chan struct{})
	job := func() {
		defer close(done)
		if err = t.setup; err == nil {
			err = f()
		}
	}
	select {
	case t.jobs <- job:
		<-done
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-s.stopped:
		err = ErrSpawnerClosed
	}
	return err
}

// fork runs on a spawner thread.
func (s *Spawner) fork(c *Command) (*Process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrSpawnerClosed
	}
	if err := s.openNull(); err != nil {
		return nil, c.explain(err)
	}
	begin := s.startPlain
	if c.PIDNamespace {
		begin = s.startNamespaced
	}
	p, err := begin(c)
	runtime.KeepAlive(c) // its files were passed as numbers
	if err != nil {
		return nil, c.explain(err)
	}
	s.register(p, treeOf(c.Env))
	return p, nil
}

func (s *Spawner) startPlain(c *Command) (*Process, error) { return start(c, s.null) }

func (s *Spawner) openNull() (err error) {
	if s.null == nil {
		s.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
	}
	return err
}

// register puts a new process on the books and has it watched. With mu held.
func (s *Spawner) register(p *Process, tree string) {
	s.live[p.pid] = p
	delete(s.ended, p.pid) // a number that was given out again has no group left
	s.wg.Go(func() {
		p.watch()
		s.unregister(p, tree)
		close(p.done)
	})
}

// unregister takes a reaped process off the books.
func (s *Spawner) unregister(p *Process, tree string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live[p.pid] != p {
		return // the number has been given out again
	}
	delete(s.live, p.pid)
	if s.ended != nil && tree != "" {
		s.ended[p.pid] = tree
	}
}

// Close kills what still runs, waits for every process and ends the threads. It
// may be called more than once.
func (s *Spawner) Close() {
	s.mu.Lock()
	s.closed = true
	for _, p := range s.live {
		_ = p.Kill() // it may be over already
	}
	s.mu.Unlock()
	s.closing.Do(func() { close(s.stopped) })
	s.wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range []**os.File{&s.null, &s.init} {
		if *f != nil {
			_ = (*f).Close() // nothing was written to it
			*f = nil
		}
	}
}
