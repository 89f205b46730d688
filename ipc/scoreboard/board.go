package scoreboard

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Size is the length of the page of words in bytes. The outbox follows it.
const Size = 4096

// Offsets of the words. The worker's, the supervisor's for stdout and its for
// stderr lie in cache lines of their own.
const (
	offGen         = 0
	offStarted     = 8
	offStdoutStart = 16
	offStderrStart = 24
	offCPUStart    = 32
	offStdout      = 64
	offStderr      = 128

	relSeq  = 0 // within a stream's line
	relRead = 8
)

// Retries of a reading that the other side keeps disturbing: first quick ones, then
// patient ones. The other side is inside one system call that does not wait: only a
// machine with far too much to do makes it take longer than microseconds.
const (
	quickTries = 64
	patience   = 50 * time.Microsecond
	lostCause  = time.Second // how long until the other side is taken for dead
)

// Stream is one of a worker's captured outputs.
type Stream int

// The captured streams.
const (
	Stdout Stream = iota // fd 1
	Stderr               // fd 2
)

func (s Stream) line() int {
	if s == Stderr {
		return offStderr
	}
	return offStdout
}

// Board is one side's view of the page.
type Board struct {
	page []byte // as mapped
	word *[Size / 8]atomic.Uint64
}

func (b *Board) at(offset int) *atomic.Uint64 { return &b.word[offset/8] }

// Begin records, before its handler is entered, that task seq starts with stdout
// and stderr bytes printed and cpu nanoseconds spent so far. Worker only.
func (b *Board) Begin(seq, stdout, stderr, cpu uint64) {
	b.at(offGen).Add(1)
	b.at(offStarted).Store(seq)
	b.at(offStdoutStart).Store(stdout)
	b.at(offStderrStart).Store(stderr)
	b.at(offCPUStart).Store(cpu)
	b.at(offGen).Add(1)
}

// Written returns how many bytes were ever written to the pipe behind fd: those
// the supervisor has read plus those that wait. It reports false when fd is not a pipe
// or the supervisor was reading all the while. Worker only.
func (b *Board) Written(stream Stream, fd uintptr) (uint64, bool) {
	n, _, ok := b.written(stream, fd)
	return n, ok
}

// written is Written that also returns the supervisor's seq it holds for.
func (b *Board) written(stream Stream, fd uintptr) (n, at uint64, ok bool) {
	line := stream.line()
	seq, read := b.at(line+relSeq), b.at(line+relRead)
	var since time.Time
	for try := 0; ; try++ {
		before := seq.Load()
		if before%2 == 0 {
			done := read.Load()
			waiting, ok := unread(fd)
			if !ok {
				return 0, 0, false
			}
			if seq.Load() == before {
				return done + waiting, before, true
			}
		}
		switch {
		case try == quickTries:
			since = time.Now()
		case try > quickTries && time.Since(since) > lostCause:
			return 0, 0, false
		}
		pause(try)
	}
}

// Started returns the highest id whose handler was entered, 0 if none was.
func (b *Board) Started() uint64 { return b.at(offStarted).Load() }

// Current returns what Begin recorded last. It reports false if the worker keeps
// writing, or died in the middle of it: then the handler was not entered.
func (b *Board) Current() (seq, stdout, stderr, cpu uint64, ok bool) {
	gen := b.at(offGen)
	for try := range quickTries {
		before := gen.Load()
		if before%2 == 0 {
			seq, cpu = b.at(offStarted).Load(), b.at(offCPUStart).Load()
			stdout, stderr = b.at(offStdoutStart).Load(), b.at(offStderrStart).Load()
			if gen.Load() == before {
				return seq, stdout, stderr, cpu, true
			}
		}
		pause(try)
	}
	return 0, 0, 0, 0, false
}

// BeginRead announces a read of the stream's pipe, EndRead that it took n bytes
// (0 for none or an error). They enclose one read that does not wait: while they
// do, the worker cannot tell what it has printed. Supervisor only.
func (b *Board) BeginRead(stream Stream) { b.at(stream.line() + relSeq).Add(1) }

// EndRead ends what BeginRead began.
func (b *Board) EndRead(stream Stream, n int) {
	line := stream.line()
	b.at(line + relRead).Add(uint64(max(n, 0)))
	b.at(line + relSeq).Add(1)
}

func pause(try int) {
	if try < quickTries {
		runtime.Gosched()
		return
	}
	time.Sleep(patience)
}
