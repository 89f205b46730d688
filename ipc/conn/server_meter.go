package conn

import (
	"time"

	"github.com/brood-run/brood/ipc/scoreboard"
	"github.com/brood-run/brood/ipc/wire"
)

// cpuEvery is how often the CPU clock, a system call of its own, is read at most.
const cpuEvery = time.Millisecond

// serverMeter measures what one slot's tasks print and spend. It belongs to the
// slot's goroutine.
type serverMeter struct {
	board    *scoreboard.Board // nil: output is not attributed
	printed  [2]uint64         // bytes ever written to fd 1 and 2, at the last look
	cpu      time.Duration     // the process's CPU time at the last look
	cpuAt    time.Time         // when that was
	cpuStart time.Duration     // cpu when the current task started
}

// follow attributes output from here on; what was printed before is no task's.
func (m *serverMeter) follow(board *scoreboard.Board) {
	if m.board = board; board != nil {
		m.readPrinted()
	}
}

// begin is called before a handler is entered and returns the task's start. Between
// two tasks in a row the first one's end is the second one's start.
func (m *serverMeter) begin(seq uint64, waited bool) time.Time {
	now := time.Now()
	m.readCPU(now)
	m.cpuStart = m.cpu
	if m.board == nil {
		return now
	}
	if waited {
		m.readPrinted()
	}
	m.board.Begin(seq, m.printed[0], m.printed[1], uint64(m.cpuStart))
	return now
}

// end is called when the handler has returned, after run.
func (m *serverMeter) end(res *wire.Result, run time.Duration) {
	res.RunNS = uint64(run)
	if run >= cpuEvery {
		m.readCPU(time.Now())
		res.CPUNS = uint64(max(m.cpu-m.cpuStart, 0))
	}
	if m.board != nil && m.readPrinted() {
		res.Flags |= wire.ResultFlagOutput
		res.StdoutEnd, res.StderrEnd = m.printed[0], m.printed[1]
	}
}

// readPrinted looks how much was printed and says whether that is more than before.
// A stream that cannot be told keeps its last figure.
func (m *serverMeter) readPrinted() bool {
	before := m.printed
	for i, stream := range [...]scoreboard.Stream{scoreboard.Stdout, scoreboard.Stderr} {
		if n, ok := m.board.Written(stream, uintptr(i+1)); ok {
			m.printed[i] = n
		}
	}
	return m.printed != before
}

func (m *serverMeter) readCPU(now time.Time) {
	if now.Sub(m.cpuAt) >= cpuEvery {
		m.cpu, m.cpuAt = processCPU(), now
	}
}
