package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/brood-run/brood/supervisor"
)

// KillPlan is what `brood chaos --supervisor-kill` does.
type KillPlan struct {
	Plugin    string
	Isolation supervisor.Isolation
	Seed      uint64
	Kills     int
	Start     time.Duration    // how long a worker may take to start
	Command   func() *exec.Cmd // starts the program that calls Plan.Obey
}

// longest is the latest moment of a kill, after the workers have become busy.
const longest = 300 * time.Millisecond

// killing is a KillPlan that is being carried out.
type killing struct {
	KillPlan
	mark    string
	pending string // mark of what the next start has to sweep; empty if none
	gone    []time.Duration
	report  *KillReport

	workers, all *Promise
}

// Run kills supervisors and looks for what survives them. Cancelling ctx ends that; what was
// done is reported all the same.
func (k KillPlan) Run(ctx context.Context) (*KillReport, error) {
	if err := Supported(); err != nil {
		return nil, err
	}
	mark, restore := brand()
	defer restore()
	run := &killing{KillPlan: k, mark: mark,
		report:  &KillReport{Plugin: k.Plugin, Isolation: string(k.Isolation), Seed: k.Seed},
		workers: newPromise("no worker survives its supervisor"), all: newPromise(k.word()),
	}
	before := takeStock(k.Isolation)
	random := rand.New(rand.NewPCG(k.Seed, 0))
	for n := 1; n <= k.Kills && ctx.Err() == nil; n++ {
		if err := run.round(ctx, n, time.Duration(random.Int64N(int64(longest)))); err != nil {
			sweep(mark)
			return nil, err
		}
	}
	if err := run.last(); err != nil {
		sweep(mark)
		return nil, err
	}
	run.conclude(before, ctx.Err() != nil)
	sweep(mark) // what should not be there is in the report; it need not stay on the machine
	return run.report, nil
}

// word is what the level of isolation promises of a worker's descendants.
func (k KillPlan) word() string {
	switch k.Isolation {
	case supervisor.IsolationPIDNS:
		return "nothing survives its supervisor"
	case supervisor.IsolationCgroup:
		return "nothing survives the next start"
	}
	return "what workers have left can be found"
}

// round starts a supervisor, kills it at a moment and waits for what has to die with it.
func (k *killing) round(ctx context.Context, n int, after time.Duration) error {
	mark := fmt.Sprintf("%s.%d.", k.mark, n)
	p, err := conjure(k.Command, mark)
	if err != nil {
		return err
	}
	err = p.busy(k.Start + patience)
	if err == nil {
		k.swept()
		moment := time.NewTimer(after)
		defer moment.Stop()
		select {
		case <-moment.C:
		case <-ctx.Done():
		}
	}
	k.report.Workers += count(marked(mark), p.cmd.Process.Pid) - 1 // without itself
	at := time.Now()
	p.kill()
	if err != nil {
		return err
	}
	k.report.Kills++
	k.await(mark, p.cmd.Process.Pid, at)
	return nil
}

// left lists the processes of a supervisor that must not, or those that may, survive it.
// Workers are in its session, and in no other worker's group; a process that is just
// being started is still in the supervisor's own.
func (k *killing) left(mark string, session int, must bool) []process {
	var some []process
	for _, p := range marked(mark) {
		if must == (p.works(session) || k.Isolation == supervisor.IsolationPIDNS) {
			some = append(some, p)
		}
	}
	return some
}

// works says that a process is a supervisor or one of its workers, and not what a worker has started or
// the init beside it.
func (p process) works(session int) bool {
	return p.session == session && (p.group == p.pid || p.group == session) && !strings.HasPrefix(p.command, "brood-init ")
}

func count(all []process, session int) (workers int) {
	for _, p := range all {
		if p.works(session) {
			workers++
		}
	}
	return workers
}

// await waits until all that must die has, then deals with what is left at that level.
func (k *killing) await(mark string, session int, at time.Time) {
	late := at.Add(patience)
	for {
		alive := k.left(mark, session, true)
		if len(alive) == 0 {
			break
		}
		for _, p := range alive {
			if !awaitEnd(p.pid, int(max(0, time.Until(late)).Milliseconds())) {
				k.workers.breaks(fmt.Sprintf("kill %d: %s is alive after %v", k.report.Kills, p, patience))
			}
		}
		if time.Now().After(late) {
			break
		}
	}
	k.gone = append(k.gone, time.Since(at))
	if k.Isolation == supervisor.IsolationCgroup {
		k.report.Survivors += len(k.left(mark, session, false))
		k.pending = mark
		return
	}
	k.report.Survivors += sweep(mark)
}

// swept checks that what an earlier supervisor had left was swept by this start.
func (k *killing) swept() {
	if k.pending == "" {
		return
	}
	if !eventually(patience, func() bool { return len(marked(k.pending)) == 0 }) {
		for _, p := range marked(k.pending) {
			k.all.breaks(fmt.Sprintf("%s survived kill %d and the start after it", p, k.report.Kills))
		}
		sweep(k.pending)
	}
	k.pending = ""
}

// sweep kills what is left of a mark, and says how many processes that were.
func sweep(mark string) int {
	killed := map[int]bool{}
	eventually(patience, func() bool {
		some := marked(mark)
		for _, p := range some {
			if send(&inmate{pid: p.pid}, mark, syscall.SIGKILL) == nil {
				killed[p.pid] = true
				awaitEnd(p.pid, int(patience.Milliseconds()))
			}
		}
		return len(some) == 0
	})
	return len(killed)
}

// last starts one more supervisor, which ends in good order, where that has to sweep.
func (k *killing) last() error {
	if k.Isolation == supervisor.IsolationGroup {
		return nil
	}
	p, err := conjure(k.Command, k.mark+".last.")
	if err != nil {
		return err
	}
	if err := p.busy(k.Start + patience); err != nil {
		p.kill()
		return err
	}
	k.swept()
	return p.end()
}

// conclude fills in the report.
func (k *killing) conclude(before possessions, cut bool) {
	r := k.report
	r.Cut, r.Gone = cut, spread(k.gone)
	k.workers.found("%d kills, %d workers", r.Kills, r.Workers)
	switch k.Isolation {
	case supervisor.IsolationPIDNS, supervisor.IsolationCgroup:
		k.all.found("%d processes that workers had started were there after a kill", r.Survivors)
	default:
		k.all.found("%d processes that workers had started lived on, as they may at this level, and were killed here", r.Survivors)
	}
	left, remains := nothingLeft(before, k.Isolation, k.mark)
	r.Remains = remains
	r.Promises = []*Promise{k.workers, k.all, left}
}
