//go:build !linux

package conn

import "time"

func (s *Server) ticks(every time.Duration) func() bool { return s.runtimeTicks(every) }
