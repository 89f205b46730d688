package main

import (
	"io"
	"os"
	"sync"
	"time"
)

// streams are the three standard streams of one command: the ends that it gets
// and the ends that stay here.
type streams struct {
	stdin, stdout, stderr    *os.File // the command's; stdin may be the shared null
	stdinW, stdoutR, stderrR *os.File // ours; stdinW is nil without a text to send
	text                     string
	shared                   bool // stdin is not ours to close
	copies                   sync.WaitGroup
	output                   // how stdoutR and stderrR are read
}

func openStreams(null *os.File, text *string) (*streams, error) {
	s := &streams{stdin: null, shared: true}
	var err error
	if text != nil {
		s.text, s.shared = *text, false
		if s.stdin, s.stdinW, err = os.Pipe(); err != nil {
			return nil, err
		}
	}
	if s.stdoutR, s.stdout, err = outputPipe(); err == nil {
		s.stderrR, s.stderr, err = outputPipe()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// theirs are the files a command starts with.
func (s *streams) theirs() []*os.File { return []*os.File{s.stdin, s.stdout, s.stderr} }

// begin moves text in and gets ready to move output out. The command must have started: its
// ends are closed here, so that the pipes end when it does.
func (s *streams) begin(out *outcome, p *process) {
	s.closeTheirs()
	if s.stdinW != nil {
		s.copies.Go(func() {
			// A command need not read all it is given; that is no error.
			_, _ = io.WriteString(s.stdinW, s.text)
			s.stdinW.Close()
		})
	}
	s.beginOutput(out, p)
}

// drain waits until everything is copied, for at most d where a pipe is still
// held by somebody else.
func (s *streams) drain(d time.Duration) {
	deadline := time.Now().Add(d)
	if s.stdinW != nil {
		s.stdinW.SetWriteDeadline(deadline)
	}
	s.drainOutput(deadline)
	s.copies.Wait()
}

// close closes whatever is still open. No copy may be under way.
func (s *streams) close() {
	s.closeTheirs()
	for _, f := range []*os.File{s.stdinW, s.stdoutR, s.stderrR} {
		f.Close() // on nil, or again: an error and nothing else
	}
}

func (s *streams) closeTheirs() {
	if !s.shared {
		s.stdin.Close()
	}
	s.stdout.Close()
	s.stderr.Close()
}
