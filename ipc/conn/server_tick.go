package conn

import "time"

// runtimeTicks returns a function that waits for the next tick; it reports false once the
// connection has ended.
func (s *Server) runtimeTicks(every time.Duration) func() bool {
	tick := time.NewTicker(every)
	return func() bool {
		select {
		case <-s.gone:
			tick.Stop()
			return false
		case <-tick.C:
			return true
		}
	}
}
