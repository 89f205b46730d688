package cli

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/supervisor"
)

// benchOptions are the settings of `brood bench`, resolved. Those that it shares
// with `brood run` are those of *options.
type benchOptions struct {
	*options
	payload     string
	payloadSize int
	workers     []int
	duration    time.Duration
	rate        float64
	json        bool
}

func newBenchOptions() *benchOptions {
	o := &benchOptions{options: newOptions(), payloadSize: 64, duration: 2 * time.Second}
	for n := 1; n < 2*runtime.NumCPU(); n *= 2 {
		o.workers = append(o.workers, n)
	}
	o.workers = append(o.workers, 2*runtime.NumCPU())
	o.logLevel = "error" // that workers die is in the report, once
	o.pool.MaxAttempts = 1
	return o
}

// groups lists every setting, bound to o's fields.
func (o *benchOptions) groups() []group {
	own := []setting{
		{"plugin", "`PATH|NAME` of the program that serves the tasks; a name is looked up beside brood", "", single, text(&o.plugin)},
		{"task", "`NAME` of the task to measure; not needed if the plugin has one", "", single, text(&o.task)},
		{"payload", "payload of every task, as `TEXT`", "", single, text(&o.payload)},
		{"payload-size", "payload of every task: a JSON string of this `SIZE`", "64", single, sizeWithin(&o.payloadSize, 2, supervisor.DefaultMaxPayload)},
		{"workers", "measure with so many worker processes, a list of `N,N,...`", "1 to twice the CPUs", single, free(o.setWorkers)},
		{"duration", "`DURATION` of each measurement", "2s", single, duration(&o.duration)},
		{"rate", "size a pool for `N` tasks a second", "none", single, free(o.setRate)},
		{"json", "print one JSON object", "", toggle, boolean(&o.json)},
	}
	messages := o.messageSettings()[:2] // there is no progress to show
	messages[0].fallback = "error"
	return []group{
		{"What to measure", own},
		{"Workers", pick(o.workerSettings(), "slots", "window", "start-timeout", "dir", "env")},
		{"Limits of a task", pick(o.limitSettings(), "soft-timeout", "hard-timeout", "hard-memory-limit")},
		{"Operating system", o.systemSettings()},
		{"Isolation", o.confineSettings()},
		{"Messages", messages},
	}
}

// pick returns the settings of those names.
func pick(all []setting, names ...string) []setting {
	return slices.DeleteFunc(all, func(s setting) bool { return !slices.Contains(names, s.name) })
}

func (o *benchOptions) setWorkers(raw string) error {
	o.workers = nil
	for _, one := range strings.Split(raw, ",") {
		var n int
		if err := whole(&n, 1, 10_000).set(strings.TrimSpace(one)); err != nil {
			return fmt.Errorf("expected numbers of workers such as 1,2,4: %w", err)
		}
		o.workers = append(o.workers, n)
	}
	return nil
}

func (o *benchOptions) setRate(raw string) error {
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || !(f > 0 && f <= 1e9) {
		return fmt.Errorf("expected tasks a second, a number above 0, found %q", raw)
	}
	o.rate = f
	return nil
}

// resolve is that of options, for other settings.
func (o *benchOptions) resolve(c *urfave.Context) error {
	groups := o.groups()
	// One config file serves both commands, so that what was measured is what runs.
	if err := resolveAll(c, append(newOptions().groups(), groups...), groups); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return usageErrorf("%v", err)
	}
	return nil
}

func (o *benchOptions) check() error {
	if o.duration <= 0 {
		return fmt.Errorf("--duration: expected more than nothing")
	}
	return o.options.check()
}

// content is the payload of every task.
func (o *benchOptions) content() []byte {
	if o.payload != "" {
		return []byte(o.payload)
	}
	return []byte(`"` + strings.Repeat("x", o.payloadSize-2) + `"`)
}
