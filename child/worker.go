package child

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/conn"
	"github.com/brood-run/brood/ipc/wire"
)

// worker is a Plugin at work in this process. It is complete before the first
// handler runs and does not change afterwards.
type worker struct {
	plugin *Plugin
	hello  ipc.Hello
	logger hclog.Logger
	sole   Handler // the only handler, which also serves the empty name; or nil
}

// handle runs one task: the bridge from the wire's words to a handler's.
func (w *worker) handle(job *conn.Job, res *wire.Result) {
	h := w.plugin.handlers[job.Name]
	if h == nil && job.Name == "" {
		h = w.sole
	}
	if h == nil {
		res.Outcome, res.Message = ipc.OutcomeUnknown, []byte(w.unknown(job.Name))
		return
	}
	payload, err := h(job, job.Payload)
	if err == nil {
		res.Payload = payload
		return
	}
	res.Message = []byte(err.Error())
	var v *verdict
	switch {
	case errors.As(err, &v):
		res.Outcome, res.RetryAfter = v.outcome, milliseconds(v.delay)
	case job.Interrupted():
		res.Outcome = ipc.OutcomeCancelled
	default:
		res.Outcome = ipc.OutcomeError
	}
}

func (w *worker) unknown(name string) string {
	served := strings.Join(w.plugin.tasks(), ", ")
	if name == "" {
		return fmt.Sprintf("the task has no name, and plugin %s serves several: %s", w.plugin.name, served)
	}
	return fmt.Sprintf("plugin %s does not serve %q; it serves: %s", w.plugin.name, name, served)
}
