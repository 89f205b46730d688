package conn

import (
	"runtime/metrics"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/scoreboard"
	"github.com/brood-run/brood/ipc/wire"
)

// beat is the goroutine that shows that the process runs: on the scoreboard, which costs no
// system call here and wakes nobody there, if the supervisor looks for beats in that place.
func (s *Server) beat() {
	if s.hello.HeartbeatMS == 0 {
		return
	}
	wait := s.ticks(time.Duration(s.hello.HeartbeatMS) * time.Millisecond)
	figures := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	for wait() {
		metrics.Read(figures)
		heap, goroutines := figures[0].Value.Uint64(), figures[1].Value.Uint64()
		if s.board != nil && s.hello.BoardBeats {
			running, queued := s.queue.ids()
			s.board.Beat(scoreboard.Vitals{
				Running: uint64(len(running)), Queued: uint64(queued), HeapBytes: heap, Goroutines: goroutines,
			})
			continue
		}
		err := s.out.frame(func(dst []byte) []byte {
			b := ipc.Beat{HeapBytes: heap, Goroutines: int(goroutines)}
			b.Running, b.Queued = s.queue.ids()
			return wire.AppendControl(dst, ipc.TypeBeat, 0, 0, b)
		})
		if err != nil {
			s.fail(err)
			return
		}
	}
}
