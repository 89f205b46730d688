package bench

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

func TestSize(t *testing.T) {
	for _, test := range []struct {
		rate        float64
		busy        time.Duration
		slots, want int
	}{
		{100, 8 * time.Millisecond, 1, 1},
		{100, 80 * time.Millisecond, 1, 10},
		{100, 81 * time.Millisecond, 1, 11},
		{100, 80 * time.Millisecond, 4, 3},
		{1, time.Microsecond, 1, 1},
	} {
		if s := Size(test.rate, test.busy, test.slots, 1e9); s.Workers != test.want || s.Exceeds != 0 {
			t.Errorf("%+v: got %+v", test, s)
		}
	}
	if s := Size(2000, time.Millisecond, 1, 1500); s.Exceeds != 1500 || !strings.Contains(s.String(), "no more than 1.50 k tasks/s") {
		t.Errorf("a rate that the machine cannot do: %v", s)
	}
	if busy := Occupancy(500, 2, 4); busy != 16*time.Millisecond {
		t.Errorf("occupancy %v", busy)
	}
}

func TestInFlight(t *testing.T) {
	for _, test := range []struct {
		workers, slots, payload int
		typical                 time.Duration
		want                    int
	}{
		{2, 1, 64, 0, 2048},
		{64, 1, 64, 0, 16384},
		{256, 1, 64, 0, 16384},
		{20_000, 1, 64, 0, 20_000},
		{2, 1, 64, time.Millisecond, 20},
		{2, 3, 64, time.Second, 12},
		{2, 1, 1 << 20, 0, 64},
		{256, 1, 1 << 20, 0, 256},
	} {
		if got := InFlight(test.workers, test.slots, test.payload, test.typical); got != test.want {
			t.Errorf("%+v: got %d", test, got)
		}
	}
}

func TestLatency(t *testing.T) {
	var all []time.Duration
	for i := 1; i <= 100; i++ {
		all = append(all, time.Duration(i)*time.Millisecond)
	}
	l := Summarize(all)
	for got, want := range map[time.Duration]time.Duration{l.P50: 50, l.P90: 90, l.P99: 99, l.Max: 100} {
		if diff := got - want*time.Millisecond; diff < -want*time.Millisecond/500 || diff > want*time.Millisecond/500 {
			t.Errorf("got %v, want %d ms", got, want)
		}
	}
	text, err := json.Marshal(Latency{Count: 1, P50: 1500})
	if err != nil || string(text) != `{"count":1,"mean_us":0,"p50_us":1.5,"p90_us":0,"p99_us":0,"max_us":0}` {
		t.Errorf("%s, %v", text, err)
	}
}

func TestFigures(t *testing.T) {
	for got, want := range map[string]string{
		Count(0): "0", Count(1.5): "1.50", Count(999.6): "1.00 k", Count(12_345): "12.3 k", Count(999_600): "1.00 M",
		Span(900): "900 ns", Span(1500): "1.50 us", Span(25 * time.Millisecond): "25.0 ms", Span(2 * time.Second): "2.00 s",
		Bytes(64): "64 B", Bytes(4096): "4 KiB", Bytes(3<<20 + 1): "3.00 MiB",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTally(t *testing.T) {
	echo := Target{Payload: []byte("x"), Echo: true}
	var c Tally
	c.add(&task.Result{Status: task.Completed, Payload: []byte("x")}, &echo)
	if c.Err() != nil {
		t.Error(c.Err())
	}
	c.add(&task.Result{Status: task.Completed, Payload: []byte("y")}, &echo)
	c.add(&task.Result{Status: task.Dead, Err: &task.Error{Kind: "error", Message: "later"}}, &echo)
	var sum Tally
	sum.merge(c)
	sum.merge(c)
	want := "2 completed, 2 dead, 2 wrong answer; the first: 1 bytes came back that are not the 1 bytes sent"
	if err := sum.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPlan(t *testing.T) {
	p := Plan{Target: target(t, "faulty", "sleep"), Workers: []int{1, 2}, Duration: 60 * time.Millisecond, Rate: 100}
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Tally.Err(); err != nil {
		t.Error(err)
	}
	// Each task sleeps for a millisecond, so no worker can do more than 1,000 a second.
	for i, row := range r.Throughput {
		if row.Workers != i+1 || row.PerSecond <= 0 || row.PerSecond > 1100*float64(row.Workers) {
			t.Errorf("throughput %+v", row)
		}
	}
	if r.Idle.P50 < time.Millisecond || r.HalfLoad.Latency.P50 < time.Millisecond || r.Spawn.Count < leastSpawns || r.Spawn.Count > mostSpawns || r.Recycling.PerSecond <= 0 {
		t.Errorf("report %+v", r)
	}
	if r.Sizing == nil || r.Sizing.Workers < 1 || r.Sizing.Busy < time.Millisecond {
		t.Errorf("sizing %+v", r.Sizing)
	}
	var b strings.Builder
	if err := r.Text(&b); err != nil || !strings.Contains(b.String(), "Little's law") || strings.Contains(b.String(), "NOT ALL") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// Failures must never look like figures.
func TestFailingPlugin(t *testing.T) {
	p := Plan{Target: target(t, "faulty", "fail"), Workers: []int{1}, Duration: 20 * time.Millisecond}
	p.Target.Payload = []byte(`{"message":"because"}`)
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Tally.Failed() != 1 || !strings.Contains(r.Tally.Err().Error(), "because") {
		t.Errorf("tally %v", r.Tally.Err())
	}
	text, err := json.Marshal(r)
	if err != nil || strings.Contains(string(text), "throughput") || !strings.Contains(string(text), `"dead":1`) {
		t.Errorf("%s, %v", text, err)
	}
	var b strings.Builder
	if err := r.Text(&b); err != nil || !strings.Contains(b.String(), "NOTHING WAS MEASURED") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestPluginThatCannotStart(t *testing.T) {
	p := Plan{Target: Target{}, Workers: []int{1}, Duration: time.Millisecond}
	p.Target.Pool.Plugin = "/nowhere/plugin"
	if _, err := p.Run(t.Context()); err == nil {
		t.Error("no error")
	}
}

func TestInPipes(t *testing.T) {
	for _, test := range []struct{ workers, payload, want int }{
		{2, 64, 512}, {64, 64, 4096}, {2, 1 << 20, 64}, {256, 1 << 20, 256},
	} {
		if got := InPipes(test.workers, test.payload); got != test.want {
			t.Errorf("%+v: got %d", test, got)
		}
	}
}
