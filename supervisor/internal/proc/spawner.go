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
// goroutine, locked to its thread, forks them all: one for those that are not confined, and
// one for each confinement.
type Spawner struct {
	plain *thread // forks all processes but confined ones

	stopped chan struct{} // closed by Close; ends the threads
	closing sync.Once
	wg      sync.WaitGroup // threads and one watcher per process

	// mu makes fork and registration one step for everybody who asks which
	// children are ours (see Reaper).
	mu     sync.Mutex
	closed bool
	null   *os.File         // standard input of the children; opened by the first start
	init   *os.File         // the program of initProgram; made by the first namespace
	home   *os.File         // our own PID namespace; opened by the first other one
	stray  error            // a thread is in a PID namespace that it cannot leave
	live   map[int]*Process // started and not reaped yet
	ended  map[int]string   // trees of reaped processes by group, kept for a Reaper; nil without one

	confined map[confinement]*thread // started when first needed
}

// NewSpawner starts the spawner's thread. Close ends it.
func NewSpawner() *Spawner {
	s := &Spawner{stopped: make(chan struct{}), live: map[int]*Process{}, confined: map[confinement]*thread{}}
	s.plain = s.newThread(func() error { return nil })
	return s
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
	var err error
	if c.credential, err = c.Limits.credential(); err != nil { // a confined thread may not look it up
		return nil, fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	t, err := s.threadFor(&c)
	if err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	p, err := s.forkOn(ctx, t, &c)
	if err != nil {
		s.release(t)
		if !errors.Is(err, ErrCannotStart) {
			err = fmt.Errorf("cannot start %s: %w", c.Path, err)
		}
		return nil, err
	}
	if err := p.limit(c.Limits); err != nil {
		_ = p.Kill() // it may be over already
		<-p.Done()
		return nil, fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	return p, nil
}

// forkOn has the process forked by a thread.
func (s *Spawner) forkOn(ctx context.Context, t *thread, c *Command) (p *Process, err error) {
	sp, err := s.spaceFor(ctx, c)
	if err != nil {
		return nil, err
	}
	err = s.on(ctx, t, func() (err error) {
		p, err = s.fork(t, c, sp)
		return err
	})
	if sp != nil {
		sp.leave()
		if err != nil {
			sp.abandon()
		}
	}
	return p, err
}

// on runs f on a thread; once begun, it is not given up.
func (s *Spawner) on(ctx context.Context, t *thread, f func() error) (err error) {
	done := make(chan struct{})
	job := func() {
		defer close(done)
		if err = t.setup; err != nil {
			s.discard(t)
			return
		}
		err = f()
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

// fork runs on a spawner thread. sp is the PID namespace to start the process in, if there is one.
func (s *Spawner) fork(t *thread, c *Command, sp *space) (p *Process, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrSpawnerClosed
	}
	begin := func() (err error) {
		p, err = start(c, s.null)
		return err
	}
	if sp == nil {
		err = begin()
	} else {
		err = s.inside(sp, begin)
	}
	runtime.KeepAlive(c) // its files were passed as numbers
	if err != nil {
		return nil, c.explain(err)
	}
	if sp != nil {
		p.first = sp.first
	}
	s.register(t, p, treeOf(c.Env))
	return p, nil
}

func (s *Spawner) openNull() (err error) {
	if s.null == nil {
		s.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
	}
	return err
}

// register puts a new process on the books and has it watched. With mu held.
func (s *Spawner) register(t *thread, p *Process, tree string) {
	s.live[p.pid] = p
	delete(s.ended, p.pid) // a number that was given out again has no group left
	s.wg.Go(func() {
		p.watch()
		s.unregister(p, tree)
		s.release(t)
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
	for _, f := range []**os.File{&s.null, &s.init, &s.home} {
		if *f != nil {
			_ = (*f).Close() // nothing was written to it
			*f = nil
		}
	}
}
