package cli

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor"
)

// options are the settings of `brood run`, resolved.
type options struct {
	plugin     string
	task       string
	input      string
	output     string
	deadLetter string
	ordered    bool
	resume     bool
	attempts   bool
	progress   string
	logLevel   string
	logFormat  string

	maxPayload int
	grace      time.Duration
	queueSize  int
	pool       supervisor.PoolConfig
}

func newOptions() *options {
	return &options{
		input:      "-",
		output:     "-",
		progress:   "auto",
		logLevel:   "info",
		logFormat:  "text",
		maxPayload: supervisor.DefaultMaxPayload,
		grace:      30 * time.Second,
	}
}

// groups lists every setting, bound to o's fields.
func (o *options) groups() []group {
	return []group{
		{"Tasks", o.taskSettings()},
		{"Results", o.resultSettings()},
		{"Workers", o.workerSettings()},
		{"Limits of a task", o.limitSettings()},
		{"Recycling of workers", o.recycleSettings()},
		{"Operating system", o.systemSettings()},
		{"Isolation", o.confineSettings()},
		{"Messages", o.messageSettings()},
	}
}

func (o *options) taskSettings() []setting {
	return []setting{
		{"plugin", "`PATH|NAME` of the program that serves the tasks; a name is looked up beside brood", "", single, text(&o.plugin)},
		{"task", "`NAME` of the task to run where a line names none; not needed if the plugin has one", "", single, text(&o.task)},
		{"input", "`FILE` of JSON lines, one task each; - is standard input", "-", single, text(&o.input)},
		{"max-payload", "largest payload and largest result, a `SIZE`", "64MiB", single, sizeWithin(&o.maxPayload, 1, 1<<30)},
		{"queue-size", "read at most `N` tasks ahead of the workers", "1024", single, whole(&o.queueSize, 1, 1<<24)},
	}
}

func (o *options) resultSettings() []setting {
	return []setting{
		{"output", "`FILE` for the results, one JSON line each; replaced if it exists; - is standard output", "-", single, text(&o.output)},
		{"ordered", "print results in the order of the tasks, not as they finish", "", toggle, boolean(&o.ordered)},
		{"resume", "skip tasks that --output already holds as completed, append the rest", "", toggle, boolean(&o.resume)},
		{"dead-letter", "`FILE` for tasks that failed for good, as lines that can be fed back as --input", "", single, text(&o.deadLetter)},
		{"attempts", "record every attempt in the results, not only those that went wrong", "", toggle, boolean(&o.attempts)},
	}
}

func (o *options) messageSettings() []setting {
	return []setting{
		{"log-level", "`LEVEL` of messages on stderr: trace, debug, info, warn, error or off", "info", single,
			choice(&o.logLevel, "trace", "debug", "info", "warn", "error", "off")},
		{"log-format", "`FORMAT` of messages: text or json", "text", single, choice(&o.logFormat, "text", "json")},
		{"progress", "`WHEN` to show a progress bar on stderr: auto (on a terminal), on or off", "auto", single,
			choice(&o.progress, "auto", "on", "off")},
	}
}

// config turns the options into the library's configuration.
func (o *options) config(plugin string) supervisor.Config {
	pool := o.pool
	pool.Plugin = plugin
	grace := o.grace
	if grace == 0 {
		grace = -1 // the library takes zero for its default
	}
	return supervisor.Config{
		Pools:          []supervisor.PoolConfig{pool},
		QueueSize:      o.queueSize,
		MaxPayload:     o.maxPayload,
		GracePeriod:    grace,
		RecordAttempts: o.attempts,
		ReapOrphans:    true,
	}
}

// check finds settings that are wrong only together.
func (o *options) check() error {
	if o.plugin == "" {
		return fmt.Errorf("--plugin is required: the path or the name of the program that serves the tasks; %q lists some", "brood plugins")
	}
	if o.resume && o.output == "-" {
		return fmt.Errorf("--resume needs --output FILE: it reads what that file already holds")
	}
	if o.pool.SoftMemoryLimit > 0 && o.pool.HardMemoryLimit > 0 && o.pool.SoftMemoryLimit > o.pool.HardMemoryLimit {
		return fmt.Errorf("--soft-memory-limit is above --hard-memory-limit: a worker would be killed before it could be recycled")
	}
	return nil
}
