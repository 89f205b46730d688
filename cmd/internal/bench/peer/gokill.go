package peer

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// KillGoPlugin is what a user of go-plugin has to do when a plugin dies with a call in it: see
// the call fail, start another plugin, call again. It returns how long that took from SIGKILL to
// the second call's answer.
func KillGoPlugin(ctx context.Context, self string, payload []byte) (time.Duration, error) {
	g, err := OpenGoPlugin(ctx, self, 1)
	if err != nil {
		return 0, err
	}
	defer g.Close()
	s, err := open(ctx, g.conns[0])
	if err != nil {
		return 0, err
	}
	if err := s.SendMsg(&message{Value: payload}); err != nil {
		return 0, err
	}
	if err := receive(s, payload); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := syscall.Kill(g.PIDs()[0], syscall.SIGKILL); err != nil {
		return 0, err
	}
	if err := receive(s, payload); err == nil {
		return 0, errors.New("go-plugin: a killed plugin answered")
	}
	again, err := OpenGoPlugin(ctx, self, 1)
	if err != nil {
		return 0, err
	}
	defer again.Close()
	err = unary(ctx, again.conns[0], payload)
	return time.Since(began), err
}
