package scoreboard

// The worker's beats have a cache line of their own: they change while nothing else does.
const (
	offBeats      = 256
	offRunning    = 264
	offQueued     = 272
	offHeapBytes  = 280
	offGoroutines = 288
)

// Vitals are a worker's figures of itself.
type Vitals struct {
	Running    uint64 // handlers
	Queued     uint64 // tasks read from the pipe and not started
	HeapBytes  uint64
	Goroutines uint64
}

// Beat records the figures and counts one more sign of life. Worker only.
func (b *Board) Beat(v Vitals) {
	b.at(offRunning).Store(v.Running)
	b.at(offQueued).Store(v.Queued)
	b.at(offHeapBytes).Store(v.HeapBytes)
	b.at(offGoroutines).Store(v.Goroutines)
	b.at(offBeats).Add(1)
}

// Beats is how often the worker has beaten. Only that it changes means something.
func (b *Board) Beats() uint64 { return b.at(offBeats).Load() }

// Vitals returns the figures of about the last beat; two of them may be of different ones.
func (b *Board) Vitals() Vitals {
	return Vitals{
		Running: b.at(offRunning).Load(), Queued: b.at(offQueued).Load(),
		HeapBytes: b.at(offHeapBytes).Load(), Goroutines: b.at(offGoroutines).Load(),
	}
}
