package conn

import (
	"runtime/metrics"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// beat is the goroutine that shows that the process runs.
func (s *Server) beat() {
	if s.hello.HeartbeatMS == 0 {
		return
	}
	tick := time.NewTicker(time.Duration(s.hello.HeartbeatMS) * time.Millisecond)
	defer tick.Stop()
	figures := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	for {
		select {
		case <-s.gone:
			return
		case <-tick.C:
		}
		metrics.Read(figures)
		err := s.out.frame(func(dst []byte) []byte {
			b := ipc.Beat{HeapBytes: figures[0].Value.Uint64(), Goroutines: int(figures[1].Value.Uint64())}
			b.Running, b.Queued = s.queue.ids()
			return wire.AppendControl(dst, ipc.TypeBeat, 0, 0, b)
		})
		if err != nil {
			s.fail(err)
			return
		}
	}
}
