package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// submitOptions are the flags of `brood submit`.
type submitOptions struct {
	*remote
	defaults task.Task // what every task gets unless its line says otherwise
	more     lineOptions

	payload     string
	payloadFile string
	input       string
	wait        bool
	batch       int
	patience    time.Duration
	maxPayload  int

	givenPayload bool // --payload or --payload-file is there
}

func newSubmitOptions(std Streams) *submitOptions {
	return &submitOptions{
		remote: newRemote(std), input: "-", batch: 500, patience: 30 * time.Second, maxPayload: supervisor.DefaultMaxPayload,
	}
}

func (o *submitOptions) settings() []setting {
	t := &o.defaults
	return []setting{
		{"task", "`NAME` of the task; not needed if the server has one", "", single, text(&t.Name)},
		{"payload", "payload of the one task, any `JSON`", "", single, free(o.setPayload)},
		{"payload-file", "`FILE` with the payload of the one task, taken as it is", "", single, free(o.setPayloadFile)},
		{"input", "`FILE` of JSON lines, one task each; - is standard input", "-", single, text(&o.input)},
		{"id", "`ID` of the one task; submitting it again does nothing", "a new UUID", single, text(&t.ID)},
		{"priority", "`N` from -1000 to 1000, higher first", "0", single, whole(&t.Priority, task.MinPriority, task.MaxPriority)},
		{"delay", "do not start it before this `DURATION` is over", "none", single, duration(&o.more.delay)},
		{"at", "do not start it before this `TIME`, such as 2026-01-31T08:30:00Z", "none", single, free(o.setAt)},
		{"expires", "drop it if it has not been started within this `DURATION`", "never", single, positive(&t.Expires)},
		{"max-attempts", "start it at most `N` times", "the pool's", single, whole(&t.MaxAttempts, 1, 65535)},
		{"soft-timeout", "cancel it this `DURATION` after it started; 0s is none", "the pool's", single, timeout(&t.SoftTimeout)},
		{"hard-timeout", "kill its worker this `DURATION` after it started; 0s is none", "the pool's", single, timeout(&t.HardTimeout)},
		{"at-most-once", "never start it again, however its one attempt ended", "", toggle, boolean(&t.AtMostOnce)},
		{"unique-key", "refuse it while another task with this `KEY` is not done", "", single, text(&o.more.uniqueKey)},
		{"unique-ttl", "let the unique key go after this `DURATION` even if the task is not done", "never", single, positive(&o.more.uniqueTTL)},
		{"concurrency-key", "run only so many tasks with this `KEY` at a time", "", single, text(&o.more.concurrency)},
		{"concurrency-limit", "`N` tasks with the same concurrency key at a time", "1", single, whole(&o.more.limit, 1, 1<<31-1)},
		{"meta", "`KEY=VALUE` that travels to the handler and back; may be repeated", "", many, keyed(o.setMeta)},
		{"wait", "wait for the results and print them as brood run does", "", toggle, boolean(&o.wait)},
		{"batch", "send up to `N` tasks in one request", "500", single, whole(&o.batch, 1, 10_000)},
		{"retry-for", "go on for this `DURATION` when the server is away or full", "30s", single, duration(&o.patience)},
		{"max-payload", "largest payload, a `SIZE`", "64MiB", single, sizeWithin(&o.maxPayload, 1, 1<<30)},
		o.jsonSetting(),
	}
}

// timeout switches a pool's timeout off with zero, which the library spells as a negative one.
func timeout(field *time.Duration) value {
	return value{schema: durationSchema(), set: func(raw string) error {
		d, err := parseDuration(raw)
		if d == 0 {
			d = -1
		}
		*field = d
		return err
	}}
}

func positive(field *time.Duration) value {
	return value{schema: durationSchema(), set: func(raw string) error {
		d, err := parseDuration(raw)
		if err == nil && d == 0 {
			err = fmt.Errorf("expected a duration above zero, found %q", raw)
		}
		*field = d
		return err
	}}
}

func (o *submitOptions) setPayload(raw string) error {
	if err := validJSON(raw); err != nil {
		return err
	}
	o.payload, o.givenPayload = raw, true
	return nil
}

func (o *submitOptions) setPayloadFile(raw string) error {
	o.givenPayload = true
	return text(&o.payloadFile).set(raw)
}

func (o *submitOptions) setAt(raw string) (err error) {
	o.more.at, err = parseTime(raw)
	return err
}

func (o *submitOptions) setMeta(raw string) error {
	key, value, err := pair(raw)
	if err != nil {
		return err
	}
	if o.defaults.Meta == nil {
		o.defaults.Meta = make(map[string]string)
	}
	o.defaults.Meta[key] = value
	return nil
}

// check finds flags that are wrong only together.
func (o *submitOptions) check(args []string) error {
	single := o.givenPayload || len(args) == 1
	switch {
	case o.payload != "" && o.payloadFile != "":
		return usageErrorf("give --payload or --payload-file, not both")
	case o.givenPayload && len(args) > 0:
		return usageErrorf("give the payload as an argument or with a flag, not both: %s", strings.Join(args, " "))
	case (o.givenPayload || len(args) > 0) && o.input != "-":
		return usageErrorf("give tasks as arguments or with --input, not both")
	case o.defaults.ID != "" && !single:
		return usageErrorf("--id names one task: give its payload as an argument, with --payload or --payload-file")
	case o.more.delay > 0 && !o.more.at.IsZero():
		return usageErrorf("give --delay or --at, not both")
	}
	if err := o.more.check(); err != nil {
		return usageErrorf("--%s", strings.ReplaceAll(err.Error(), "_", "-"))
	}
	if single || len(args) > 0 || o.input != "-" {
		return nil
	}
	if isTerminal(o.std.In) {
		return usageErrorf("no tasks: give some as arguments, with --payload, with --input FILE, or on standard input; see %q", "brood submit --help")
	}
	if wasClosed(o.std.In) {
		return cannotRunf("input: standard input is closed")
	}
	return nil
}

// open returns the stream of lines.
func (o *submitOptions) open() (*os.File, error) {
	if o.input == "-" {
		return o.std.In, nil
	}
	f, err := os.Open(o.input)
	if err != nil {
		return nil, cannotRunf("input: %v", err)
	}
	return f, nil
}
