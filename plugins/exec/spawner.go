package main

import (
	"os"
	"runtime"
)

// spawner starts processes from one thread that lives as long as it does.
// The kernel ties Pdeathsig to the thread which spawned: were that an ordinary
// one, a command could be killed when the Go runtime lets the thread go.
type spawner struct {
	requests chan spawnRequest
	done     chan struct{} // closed when the goroutine, and so its thread, is gone
}

type spawnRequest struct {
	path  string
	argv  []string
	attr  *os.ProcAttr
	reply chan<- spawnReply
}

type spawnReply struct {
	process *os.Process
	err     error
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan spawnRequest), done: make(chan struct{})}
	go s.loop()
	return s
}

func (s *spawner) loop() {
	defer close(s.done)
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	for q := range s.requests {
		p, err := os.StartProcess(q.path, q.argv, q.attr)
		q.reply <- spawnReply{p, err}
	}
}

// spawn starts a process. It must not be called after close.
func (s *spawner) spawn(path string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
	reply := make(chan spawnReply, 1)
	s.requests <- spawnRequest{path, argv, attr, reply}
	r := <-reply
	return r.process, r.err
}

// close ends the thread; a process it started and that still runs is killed.
func (s *spawner) close() {
	close(s.requests)
	<-s.done
}
