package bench

import (
	"context"
	"errors"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
)

// eventStream tells when workers have come up: a supervisor counts as ready with the
// first of them.
type eventStream struct {
	sub *event.Subscription
}

func subscribe(s *supervisor.Supervisor, workers int) eventStream {
	return eventStream{sub: s.Events(64 + 8*workers)}
}

// allReady waits for so many workers, then ends the subscription: events cost the
// supervisor time that is not to be measured.
func (e eventStream) allReady(ctx context.Context, workers int) error {
	defer e.sub.Close()
	for workers > 0 {
		select {
		case ev, open := <-e.sub.C():
			if !open {
				return errors.New("the supervisor stopped before its workers were ready")
			}
			switch ev := ev.(type) {
			case event.WorkerReady:
				workers--
			case event.WorkerExited:
				return errors.New("while the workers started: " + ev.String())
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
