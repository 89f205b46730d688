//go:build !linux

package main

import (
	"os"
	"time"
)

// output needs nothing here: a goroutine reads each stream.
type output struct{}

func outputPipe() (r, w *os.File, err error) { return os.Pipe() }

func (s *streams) beginOutput(out *outcome, _ *process) {
	s.copies.Go(func() { read(&out.stdout, s.stdoutR) })
	s.copies.Go(func() { read(&out.stderr, s.stderrR) })
}

// read moves a stream into a capture until it ends or its deadline passes.
func read(c *capture, f *os.File) {
	buf := make([]byte, 16<<10)
	for {
		n, err := f.Read(buf)
		c.Write(buf[:n])
		if err != nil {
			return
		}
	}
}

// awaitExit reaps the command as it waits: there is no portable way to wait and
// leave it. Its group's number stays taken while a member lives, so that a later
// signal to the group finds those or nobody.
func (s *streams) awaitExit(p *process) { p.state, _ = p.Wait() }

func (s *streams) drainOutput(deadline time.Time) {
	s.stdoutR.SetReadDeadline(deadline)
	s.stderrR.SetReadDeadline(deadline)
}
