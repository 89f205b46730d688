package chaos

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// Fault is a way in which a worker comes to harm.
type Fault string

// Faults. Those from Kill to Int strike from outside and work with any plugin, and so does
// Start; the others are tasks that only some plugins serve.
const (
	Kill     Fault = "kill"
	Segv     Fault = "segv"
	Abrt     Fault = "abrt"
	Term     Fault = "term"
	Stop     Fault = "stop" // SIGSTOP, which only missing heartbeats give away
	Int      Fault = "int"  // which a worker of the SDK survives
	OOM      Fault = "oom"
	Hang     Fault = "hang"
	BadFrame Fault = "badframe"
	Flood    Fault = "flood"
	Start    Fault = "start" // a worker is killed, and its replacement while it starts
)

// grandchild leaves a process behind that has left its worker's group. It harms nobody, and is no
// strike: it is there to be found.
const grandchild Fault = "grandchild"

// Faults lists all of them.
func Faults() []Fault {
	return []Fault{Kill, Segv, Abrt, Term, Stop, Int, OOM, Hang, BadFrame, Flood, Start}
}

// means is how a fault is made.
type means struct {
	signal  syscall.Signal // sent to a worker; 0 if it is a task
	task    string         // run by a worker
	payload string
	timeout time.Duration // hard, of that task
	outcome task.Outcome  // what its record must say
	gap     time.Duration // shortest time between two such strikes
	mild    bool          // a worker may survive it
}

// taskTimeout is the hard timeout of tasks that do not end by themselves.
const taskTimeout = 250 * time.Millisecond

// by says how to make a fault. Where a fault keeps a worker for long, its strikes have a gap, lest
// all workers are held by it and nothing else happens any more. Failed starts have the
// longest: a pool whose workers keep failing to start waits, as it should, and
// that is another thing than to recover.
func (f Fault) by() means {
	const held = 500 * time.Millisecond
	switch f {
	case Kill:
		return means{signal: syscall.SIGKILL}
	case Segv:
		return means{signal: syscall.SIGSEGV, mild: true}
	case Abrt:
		return means{signal: syscall.SIGABRT, mild: true}
	case Term:
		return means{signal: syscall.SIGTERM, mild: true}
	case Stop:
		return means{signal: syscall.SIGSTOP, gap: 2 * time.Second}
	case Int:
		return means{signal: syscall.SIGINT, mild: true}
	case Start:
		return means{signal: syscall.SIGKILL, gap: 10 * time.Second}
	case OOM:
		return means{task: "leak", payload: `{"mib_per_s":1024}`, timeout: time.Minute, outcome: task.OutcomeMemoryLimit, gap: held}
	case Hang:
		return means{task: "hang", payload: `{}`, timeout: taskTimeout, outcome: task.OutcomeTimeout, gap: held}
	case BadFrame:
		return means{task: "badframe", payload: `{}`, timeout: time.Minute, outcome: task.OutcomeBadFrame}
	case Flood:
		return means{task: "flood", payload: `{}`, timeout: taskTimeout, outcome: task.OutcomeTimeout, gap: held}
	case grandchild:
		return means{task: "grandchild", payload: `{"setsid":true}`}
	}
	return means{}
}

// ParseFaults reads a list such as kill,stop.
func ParseFaults(list string) ([]Fault, error) {
	var chosen []Fault
	for name := range strings.SplitSeq(list, ",") {
		f := Fault(strings.TrimSpace(name))
		if !slices.Contains(Faults(), f) {
			return nil, fmt.Errorf("expected some of %s, found %q", join(Faults()), name)
		}
		if !slices.Contains(chosen, f) {
			chosen = append(chosen, f)
		}
	}
	return chosen, nil
}

func join(faults []Fault) string {
	var names []string
	for _, f := range faults {
		names = append(names, string(f))
	}
	return strings.Join(names, ",")
}

// Possible divides faults into those that can be made with a plugin that serves these
// tasks and those that cannot.
func Possible(faults []Fault, serves []string) (can, cannot []Fault) {
	for _, f := range faults {
		if needs := f.by().task; needs == "" || slices.Contains(serves, needs) {
			can = append(can, f)
		} else {
			cannot = append(cannot, f)
		}
	}
	return can, cannot
}

// Needs names the tasks that a plugin must serve for these faults.
func Needs(faults []Fault) string {
	var needs []string
	for _, f := range faults {
		needs = append(needs, fmt.Sprintf("%s needs the task %q", f, f.by().task))
	}
	return strings.Join(needs, ", ")
}
