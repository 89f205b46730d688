package pool

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/ipc"
)

// generation is what workers that were started with the same settings have in common. The loop
// owns it.
type generation struct {
	Settings
	serves ipc.Ready // what the last of them to become ready said
	pulsed time.Time // when they were looked at for a sign of life
}

// lacks says which task that is to be served its plugin does not know, nil if there is none.
func (g *generation) lacks() error {
	for _, name := range g.Serves {
		if !slices.Contains(g.serves.Tasks, name) {
			return fmt.Errorf("the plugin does not serve the task %q, which the pool does, and which may be in its queue; it serves: %s. Say in the pool's tasks what it is to serve",
				name, strings.Join(g.serves.Tasks, ", "))
		}
	}
	return nil
}

// newest is the latest generation of which a worker is known to start.
func (p *Pool) newest() *generation {
	if p.roll != nil && p.roll.proven {
		return p.roll.next
	}
	return p.gen
}

// givenUp says that nothing follows from how a worker ends, unless it takes tasks with it: its
// generation is no longer wanted, or it was to leave before it had come.
func (p *Pool) givenUp(m *member) bool {
	return m.retired && !m.ready || m.gen != p.gen && !p.next(m)
}

// next says that a worker is of the generation that is to come.
func (p *Pool) next(m *member) bool { return p.roll != nil && m.gen == p.roll.next }

func (p *Pool) log() hclog.Logger { return p.gen.Worker.Logger }
