package cli

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/chaos"
)

// chaosOptions are the settings of `brood chaos`, resolved. Those that it shares
// with `brood run` are those of *options.
type chaosOptions struct {
	*options
	payload        string
	tasks          int
	duration       time.Duration
	faults         []chaos.Fault
	named          bool // the user has chosen the faults
	rate           float64
	seed           uint64
	json           bool
	supervisorKill bool
	kills          int
}

func newChaosOptions() *chaosOptions {
	o := &chaosOptions{options: newOptions(), faults: chaos.Faults(), rate: 20, seed: rand.Uint64N(1e9), kills: 20}
	o.logLevel = "error" // that workers die is in the report
	o.pool.Workers = 4 * runtime.NumCPU()
	return o
}

// groups lists every setting, bound to o's fields.
func (o *chaosOptions) groups() []group {
	messages := o.messageSettings()[:2] // there is no progress to show
	messages[0].fallback = "error"
	workers := o.workerSettings()
	for i := range workers {
		switch workers[i].name {
		case "workers":
			workers[i].fallback = "four times the CPUs"
		case "heartbeat":
			workers[i].fallback = "100ms"
		}
	}
	limits := append(o.limitSettings(), pick(o.taskSettings(), "max-payload", "queue-size")...)
	for i := range limits {
		switch limits[i].name {
		case "hard-memory-limit":
			limits[i].fallback = "128MiB if oom is among the faults"
		case "max-attempts", "max-crashes":
			limits[i].fallback = "10000, so that no task gives up"
		}
	}
	return []group{
		{"What to run", o.runSettings()},
		{"What to do to it", o.strikeSettings()},
		{"Workers", workers},
		{"Limits of a task", limits},
		{"Recycling of workers", o.recycleSettings()},
		{"Operating system", o.systemSettings()},
		{"Isolation", o.confineSettings()},
		{"Messages", messages},
	}
}

func (o *chaosOptions) runSettings() []setting {
	return []setting{
		{"plugin", "`PATH|NAME` of the program that serves the tasks; a name is looked up beside brood", "", single, text(&o.plugin)},
		{"task", "`NAME` of the task to run; not needed if the plugin has one", "", single, text(&o.task)},
		{"payload", "payload of every task, as `TEXT`", "random strings", single, text(&o.payload)},
		{"tasks", "run `N` tasks", "20000, or as many as fit into --duration", single, whole(&o.tasks, 1, 1<<30)},
		{"duration", "feed tasks for this `DURATION`", "until all are fed", single, duration(&o.duration)},
		{"json", "print one JSON object", "", toggle, boolean(&o.json)},
	}
}

func (o *chaosOptions) strikeSettings() []setting {
	return []setting{
		{"faults", "strike with these, a `LIST` of kill, segv, abrt, term, stop, int, oom, hang, badframe, flood, start", "all that the plugin can have", single, free(o.setFaults)},
		{"rate", "strike that often, `N/s`, N/m or N/h", "20/s", single, free(o.setRate)},
		{"seed", "repeat the strikes of the run with this `SEED`", "a random one", single, free(o.setSeed)},
		{"supervisor-kill", "kill the supervisor instead, and look for what survives it", "", toggle, boolean(&o.supervisorKill)},
		{"kills", "with --supervisor-kill: so often, `N`", "20", single, whole(&o.kills, 1, 100_000)},
	}
}

func (o *chaosOptions) setFaults(raw string) (err error) {
	o.named = true
	o.faults, err = chaos.ParseFaults(raw)
	return err
}

func (o *chaosOptions) setRate(raw string) error {
	number, unit, _ := strings.Cut(raw, "/")
	seconds, known := map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600}[unit]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !known || !(n > 0 && n/seconds <= 10_000) {
		return fmt.Errorf("expected strikes such as 50/s or 3000/m, at most 10000/s, found %q", raw)
	}
	o.rate = n / seconds
	return nil
}

func (o *chaosOptions) setSeed(raw string) error {
	n, err := strconv.ParseUint(raw, 10, 64)
	if err != nil {
		return fmt.Errorf("expected a whole number, found %q", raw)
	}
	o.seed = n
	return nil
}

// resolve is that of options, for other settings.
func (o *chaosOptions) resolve(c *urfave.Context) error {
	groups := o.groups()
	// One config file serves all commands, so that what was tried out is what runs.
	if err := resolveAll(c, append(newOptions().groups(), groups...), groups); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return usageErrorf("%v", err)
	}
	if err := o.effect(c); err != nil {
		return err
	}
	if o.tasks == 0 && o.duration == 0 {
		o.tasks = 20_000
	}
	return nil
}

// effect refuses flags that would do nothing.
func (o *chaosOptions) effect(c *urfave.Context) error {
	if !o.supervisorKill {
		if c.IsSet("kills") {
			return usageErrorf("--kills has no effect without --supervisor-kill")
		}
		return nil
	}
	for _, name := range []string{"tasks", "duration", "rate", "faults"} {
		if c.IsSet(name) {
			return usageErrorf("--%s has no effect with --supervisor-kill, which goes on for --kills", name)
		}
	}
	return nil
}

func (o *chaosOptions) content() []byte {
	if o.payload == "" {
		return nil
	}
	return []byte(o.payload)
}
