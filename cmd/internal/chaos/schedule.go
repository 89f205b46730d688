package chaos

import (
	"iter"
	"math/rand/v2"
	"time"
)

// Strike is one entry of the schedule.
type Strike struct {
	N     int           // 1 for the first
	At    time.Duration // since the beginning
	Fault Fault         //
	Pick  uint64        // chooses among the workers that are up then
}

// schedule draws strikes for ever: a Poisson process of that many a second, each of any
// fault whose gap is over. Where there is none, nobody is struck.
func schedule(seed uint64, rate float64, faults []Fault, gap func(Fault) time.Duration) iter.Seq[Strike] {
	return func(yield func(Strike) bool) {
		random := rand.New(rand.NewPCG(seed, 0))
		last := map[Fault]time.Duration{}
		var at time.Duration
		for n := 1; ; {
			at += time.Duration(random.ExpFloat64() / rate * float64(time.Second))
			var due []Fault
			for _, f := range faults {
				if before, struck := last[f]; !struck || at-before >= gap(f) {
					due = append(due, f)
				}
			}
			which, pick := random.Uint64(), random.Uint64()
			if len(due) == 0 {
				continue
			}
			s := Strike{N: n, At: at, Fault: due[which%uint64(len(due))], Pick: pick}
			last[s.Fault] = at
			if !yield(s) {
				return
			}
			n++
		}
	}
}
