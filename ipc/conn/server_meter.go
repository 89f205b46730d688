package conn

import (
	"time"

	"github.com/brood-run/brood/ipc/scoreboard"
	"github.com/brood-run/brood/ipc/wire"
)

// cpuEvery is how often the CPU clock, a system call of its own, is read at most.
const cpuEvery = time.Millisecond

// serverMeter measures how long one slot's tasks run, what they print and what they spend.
// It belongs to the slot's goroutine. Its times are those of the Server's clock.
type serverMeter struct {
	epoch    time.Time          // of the Server's clock
	board    *scoreboard.Board  // nil: output is not attributed
	output   *scoreboard.Output // nil like board
	now      time.Duration      // the last reading of the clock
	start    time.Duration      // when the current task started
	cpu      time.Duration      // the process's CPU time at the last look
	cpuAt    time.Duration      // when that was
	cpuStart time.Duration      // cpu when the current task started
}

// follow attributes output from here on; what was printed before is no task's.
func (m *serverMeter) follow(board *scoreboard.Board) {
	if m.board = board; board != nil {
		m.output = board.Output(1, 2)
	}
}

// close lets go of what follow opened.
func (m *serverMeter) close() {
	if m.output != nil {
		m.output.Close()
	}
}

// begin is called before a handler is entered and returns the task's start. Between two
// tasks in a row, with no pause, the first one's end is the second one's start.
func (m *serverMeter) begin(seq uint64, pause bool) time.Duration {
	if pause || m.now == 0 {
		m.now = time.Since(m.epoch)
	}
	m.start = m.now
	m.readCPU()
	m.cpuStart = m.cpu
	if m.board != nil {
		if pause {
			m.output.Look()
		}
		m.board.Begin(seq, m.output.Total(scoreboard.Stdout), m.output.Total(scoreboard.Stderr), uint64(m.cpuStart))
	}
	return m.start
}

// end is called when the handler has returned.
func (m *serverMeter) end(res *wire.Result) {
	m.now = time.Since(m.epoch)
	run := m.now - m.start
	res.RunNS = uint64(run)
	if run >= cpuEvery {
		m.readCPU()
		res.CPUNS = uint64(max(m.cpu-m.cpuStart, 0))
	}
	if m.board != nil && m.output.Look() {
		res.Flags |= wire.ResultFlagOutput
		res.StdoutEnd, res.StderrEnd = m.output.Total(scoreboard.Stdout), m.output.Total(scoreboard.Stderr)
	}
}

func (m *serverMeter) readCPU() {
	if m.cpuAt == 0 || m.now-m.cpuAt >= cpuEvery {
		m.cpu, m.cpuAt = processCPU(), m.now
	}
}
