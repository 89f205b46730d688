package pool

import (
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

// newest is the generation that workers are started of.
func (p *Pool) newest() *generation {
	if p.roll != nil {
		return p.roll.next
	}
	return p.gen
}

// givenUp says that nothing follows from how a worker ends, unless it takes tasks with it: its
// generation is no longer wanted, or it is to leave before it has come.
func (p *Pool) givenUp(m *member) bool {
	if p.roll != nil && m.gen == p.roll.next {
		return false
	}
	return m.gen != p.gen || p.roll != nil && !m.ready
}

// unproven says that nobody knows yet whether a worker can be started.
func (p *Pool) unproven() bool { return !p.everUp || p.roll != nil && p.roll.warm == 0 }

func (p *Pool) log() hclog.Logger { return p.gen.Worker.Logger }
