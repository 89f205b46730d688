package bench

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// Report is what was measured.
type Report struct {
	Plugin     string
	Task       string
	Payload    int // bytes
	Slots      int
	Duration   time.Duration // of each row
	Machine    Machine
	Idle       Latency // one task at a time
	IdleRSS    uint64  // bytes
	Throughput []Throughput
	HalfLoad   *HalfLoad
	Spawn      Latency     // to ready
	Recycling  *Throughput // with a fresh process for each task
	Sizing     *Sizing
	Tally      Tally // all tasks, warm-up included
}

// Throughput is what so many workers do when they are saturated.
type Throughput struct {
	Workers   int     `json:"workers"`
	PerSecond float64 `json:"tasks_per_second"`
}

// HalfLoad is how long tasks take when they arrive at half the rate that the workers
// can do.
type HalfLoad struct {
	Workers   int     `json:"workers"`
	PerSecond float64 `json:"tasks_per_second"`
	Latency   Latency `json:"latency"`
}

func (r *Report) best() Throughput {
	if len(r.Throughput) == 0 {
		return Throughput{}
	}
	return slices.MaxFunc(r.Throughput, func(a, b Throughput) int { return cmp.Compare(a.PerSecond, b.PerSecond) })
}

// MarshalJSON leaves out what was not measured.
func (r *Report) MarshalJSON() ([]byte, error) {
	out := map[string]any{
		"plugin": r.Plugin, "task": r.Task, "payload_bytes": r.Payload, "slots": r.Slots,
		"duration_s": r.Duration.Seconds(), "machine": r.Machine,
		"statuses": r.Tally.Statuses,
	}
	if r.Tally.Failure != "" {
		out["failure"] = r.Tally.Failure
	}
	if r.Idle.Count > 0 {
		out["idle"] = r.Idle
		out["idle_rss_bytes"] = r.IdleRSS
	}
	if len(r.Throughput) > 0 {
		out["throughput"] = r.Throughput
	}
	if r.HalfLoad != nil {
		out["half_load"] = r.HalfLoad
	}
	if r.Spawn.Count > 0 {
		out["spawn_to_ready"] = r.Spawn
	}
	if r.Recycling != nil {
		out["fresh_process_per_task"] = r.Recycling
	}
	if s := r.Sizing; s != nil {
		out["sizing"] = map[string]any{
			"tasks_per_second": s.Rate, "time_in_worker_us": micros(s.Busy),
			"utilisation": s.Utilisation, "workers": s.Workers, "above_measured": s.Exceeds > 0,
		}
	}
	return json.Marshal(out)
}
