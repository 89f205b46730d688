package chaos

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// Report is how a run went.
type Report struct {
	Plugin    string              `json:"plugin"`
	Isolation string              `json:"isolation"`
	Workers   int                 `json:"workers"`
	Seed      uint64              `json:"seed"`
	Elapsed   float64             `json:"elapsed_s"`
	Tasks     int                 `json:"tasks"`
	Statuses  map[task.Status]int `json:"statuses"`
	PerSecond float64             `json:"tasks_per_second"`
	Retried   int                 `json:"tasks_started_again"`
	Failure   string              `json:"handler_failure,omitempty"` // the first task that the plugin itself refused
	Strikes   []Struck            `json:"strikes"`
	Missed    int                 `json:"strikes_without_target"`
	Ended     map[string]int      `json:"workers_ended"` // by reason
	FailedUp  int                 `json:"workers_killed_at_start"`
	Lost      uint64              `json:"events_lost"`
	Cost      Cost                `json:"supervisor"`
	Remains   Remains             `json:"left_behind"`
	Cut       bool                `json:"interrupted"`
	Promises  []*Promise          `json:"promises"`
}

// Struck is what came of the strikes of one kind.
type Struck struct {
	Fault    Fault  `json:"fault"`
	Count    int    `json:"count"`
	Survived int    `json:"survived"`
	Recovery Spread `json:"recovery"`
}

// Spread is a distribution of times, in milliseconds.
type Spread struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// Cost is what the supervisor took, this command included.
type Cost struct {
	PeakRSS     uint64  `json:"peak_rss_bytes"`
	MemoryBound uint64  `json:"memory_bound_bytes"`
	CPU         float64 `json:"cpu_s"`
	CPUBound    float64 `json:"cpu_bound_s"`
	PerTask     float64 `json:"cpu_us_per_task"`
}

// spread sorts the times.
func spread(times []time.Duration) Spread {
	if len(times) == 0 {
		return Spread{}
	}
	slices.Sort(times)
	at := func(q float64) float64 { return millis(times[int(q*float64(len(times)-1))]) }
	return Spread{Count: len(times), P50: at(0.5), P99: at(0.99), Max: at(1)}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// report judges a run that is over.
func (r *run) report(before possessions, usage *syscall.Rusage) *Report {
	elapsed := r.ended.Sub(r.began)
	b, l := r.book, r.ledger
	out := &Report{
		Plugin: r.pool.Plugin, Isolation: string(r.pool.Isolation), Workers: r.pool.Workers, Seed: r.plan.Seed,
		Elapsed: elapsed.Seconds(), Tasks: r.count, Statuses: l.statuses, PerSecond: float64(r.count) / elapsed.Seconds(),
		Retried: l.retried, Failure: l.failure, Strikes: b.struckByKind(), Missed: r.missed, Ended: maps.Clone(b.ended),
		FailedUp: b.starts, Lost: r.events.Dropped(), Cost: r.cost(usage), Cut: l.cut,
	}
	own := r.ownLimits()
	left, remains := nothingLeft(before, r.pool.Isolation, r.mark)
	out.Remains = remains
	out.Promises = []*Promise{
		l.once, l.intact, l.within, l.atMost,
		b.unharmed(l.harms, own), b.explained(r.faults, l.faults, l.cut, own), b.recovered(l.cut || out.Lost > 0),
		left, r.bounded(out.Cost),
	}
	return out
}

// cost is what this process has used since.
func (r *run) cost(since *syscall.Rusage) Cost {
	limit := r.bounds(r.ended.Sub(r.began))
	cost := Cost{PeakRSS: peakMemory(), MemoryBound: limit.memory, CPUBound: limit.cpu.Seconds()}
	var now syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &now); err == nil {
		used := time.Duration(now.Utime.Nano() + now.Stime.Nano() - since.Utime.Nano() - since.Stime.Nano())
		cost.CPU = used.Seconds()
		cost.PerTask = float64(used.Microseconds()) / float64(max(1, r.count))
	}
	return cost
}

// struckByKind counts the strikes and their recoveries, in the order of Faults.
func (b *book) struckByKind() []Struck {
	var all []Struck
	for _, f := range Faults() {
		s := Struck{Fault: f}
		var times []time.Duration
		for _, h := range b.hits {
			if h.Fault != f {
				continue
			}
			s.Count++
			if !h.ended {
				s.Survived++
			}
			if h.recovered > 0 {
				times = append(times, h.recovered)
			}
		}
		if s.Count > 0 {
			s.Recovery = spread(times)
			all = append(all, s)
		}
	}
	return all
}
