package chaos

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// unharmed checks that tasks only suffered in workers that were struck, or that the user's
// own limits ended.
func (b *book) unharmed(harms []harm, ownLimits []string) *Promise {
	p := newPromise("only struck workers and their tasks are harmed")
	for _, h := range harms {
		if len(b.struck[h.attempt.Worker]) > 0 || slices.Contains(ownLimits, b.ends[h.attempt.Worker]) {
			continue
		}
		a := h.attempt
		p.breaks(fmt.Sprintf("%s lost attempt %d on %s (pid %d), which nobody had struck: %s: %s",
			h.task, a.N, a.Worker, a.PID, a.Outcome, a.Message), b.evidence(h.task, a.Worker)...)
	}
	for _, name := range slices.Sorted(maps.Keys(b.ends)) {
		// Others may be the plugin's own doing; these are what the supervisor finds.
		if reason := b.ends[name]; len(b.struck[name]) == 0 && (reason == "heartbeat_lost" || reason == "bad_frame") {
			p.breaks(fmt.Sprintf("%s, which nobody had struck, was ended: %s", name, reason), b.evidence("", name)...)
		}
	}
	p.found("%d attempts lost in %d struck workers", len(harms), len(b.struck))
	return p
}

// explained checks that each fault that was a task has one result, which names what it did.
func (b *book) explained(fed []string, results map[string]task.Result, cut bool, ownLimits []string) *Promise {
	p := newPromise("every failure explains itself")
	for _, id := range fed {
		r, there := results[id]
		switch {
		case !there:
			p.breaks(id+" has no result", b.evidence(id)...)
		case cut && r.Status == task.Cancelled:
		case r.Status != task.Dead || len(r.Attempts) != 1:
			p.breaks(fmt.Sprintf("%s is %s after %d starts, not dead after one: %v", id, r.Status, r.Started, r.Err), b.evidence(id)...)
		case !b.says(id, &r.Attempts[0], ownLimits):
			a := r.Attempts[0]
			p.breaks(fmt.Sprintf("%s: the record says %s: %s", id, a.Outcome, a.Message), b.evidence(id, a.Worker)...)
		}
	}
	p.found("%d tasks that were faults, each with its record", len(fed))
	return p
}

// says whether the record of a fault names what it did, or what else befell its worker.
func (b *book) says(id string, a *task.Attempt, ownLimits []string) bool {
	s := b.faults[id]
	if a.Outcome == s.Fault.by().outcome || slices.Contains(ownLimits, b.ends[a.Worker]) {
		return true
	}
	return slices.ContainsFunc(b.struck[a.Worker], func(h *hit) bool { return h.N != s.N })
}

// recovered checks that every worker that a strike ended was replaced.
func (b *book) recovered(cut bool) *Promise {
	p := newPromise("every struck worker is replaced")
	replaced, survived := 0, 0
	for _, h := range b.hits {
		switch {
		case h.recovered > 0 || h.planned:
			replaced++
		case !h.ended && h.Fault.by().mild:
			survived++
		case cut:
		case !h.ended:
			p.breaks(fmt.Sprintf("%s outlived strike %d, %s, at %v", h.worker, h.N, h.Fault, h.At.Round(time.Millisecond)), b.evidence("", h.worker)...)
		default:
			p.breaks(fmt.Sprintf("%s (%s, %s after strike %d, %s, at %v) was not replaced", h.worker, h.reason, h.exit, h.N, h.Fault,
				h.At.Round(time.Millisecond)), b.evidence("", h.worker)...)
		}
	}
	p.found("%d replaced, %d survived", replaced, survived)
	return p
}

// bound is what the supervisor may take.
type bound struct {
	memory uint64
	cpu    time.Duration
}

// bounds follow from what it had to do, generously: they are there to find what grows or
// spins without an end.
func (r *run) bounds(elapsed time.Duration) bound {
	payload := len(r.plan.Payload)
	for _, c := range []int{2 * r.plan.QueueSize * payload * 4, r.count} {
		payload = max(payload, c)
	}
	held := 2 * taskTimeout // a flood is read as long as it lasts
	return bound{
		memory: 256<<20 + uint64(payload),
		cpu: time.Duration(r.count)*500*time.Microsecond + time.Duration(len(r.book.hits))*50*time.Millisecond +
			time.Duration(r.book.count(Flood))*held + elapsed/10 + time.Second,
	}
}

// count is how many workers a fault has met.
func (b *book) count(f Fault) int {
	n := 0
	for _, h := range b.hits {
		if h.Fault == f {
			n++
		}
	}
	return n
}

func (r *run) bounded(cost Cost) *Promise {
	p := newPromise("the supervisor stays small")
	if cost.PeakRSS > cost.MemoryBound {
		p.breaks(fmt.Sprintf("%d MiB of memory at the highest, more than %d MiB", cost.PeakRSS>>20, cost.MemoryBound>>20))
	}
	if cost.CPU > cost.CPUBound {
		p.breaks(fmt.Sprintf("%.1f s of CPU time, more than %.1f s", cost.CPU, cost.CPUBound))
	}
	p.found("%d of %d MiB, %.2f of %.1f s of CPU time", cost.PeakRSS>>20, cost.MemoryBound>>20, cost.CPU, cost.CPUBound)
	return p
}

// ownLimits are reasons for which the user's settings, and no strike, end workers.
func (r *run) ownLimits() []string {
	reasons := []string{"uncancellable"}
	if r.plan.Pool.HardTimeout > 0 {
		reasons = append(reasons, "hard_timeout")
	}
	if r.plan.Pool.HardMemoryLimit > 0 {
		reasons = append(reasons, "hard_memory_limit")
	}
	return reasons
}
