package worker

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
)

const (
	// maxTail is how much of the end of a task's output its record keeps, in bytes.
	maxTail = 8 << 10
	// maxKept bounds the tails kept for answers on their way, which a worker that lies
	// may never send.
	maxKept = 1 << 20
	// maxLogged is how much of a task's output is logged before the rest is only counted.
	maxLogged = 64 << 10
	// maxTrace is how much of a Go crash trace is kept, from its beginning.
	maxTrace = 64 << 10
)

// transcript logs the lines of a worker with the task they belong to, keeps the tail of
// the current task's, and a Go crash trace apart from it. Its capture's mutex guards it.
type transcript struct {
	w     *Worker
	first []byte // the beginning of stdout, up to the handshake line

	seq     uint64 // whose lines the fields below hold; 0 is the worker's own
	labels  map[uint64]label
	tails   map[uint64]string // of tasks that are over and whose answers are on their way
	kept    int               // bytes in tails
	tail    []byte
	trace   []byte
	tracing bool
	logged  int       // bytes logged for seq
	dropped int       // bytes not logged for seq
	since   time.Time // when logged was 0, for lines of no task
}

type label struct {
	id      string
	attempt int
}

// name remembers which task a seq is: it will have left the pipe when its last lines come.
func (t *transcript) name(seq uint64) label {
	if l, ok := t.labels[seq]; ok || seq == 0 {
		return l
	}
	id, attempt, ok := t.w.tasks.Label(seq)
	if !ok {
		return label{}
	}
	if t.labels == nil {
		t.labels = map[uint64]label{}
	}
	t.labels[seq] = label{id, attempt}
	return t.labels[seq]
}

// add takes one line of a task.
func (t *transcript) add(seq uint64, s int, line []byte) {
	if seq != t.seq {
		t.setAside()
		t.resume(seq)
	}
	if s == stderr {
		t.follow(line)
	}
	if !t.tracing || s == stdout {
		t.keep(line)
	}
	if t.logged += len(line) + 1; t.logged > maxLogged && !t.refill() {
		t.dropped += len(line) + 1
		return
	}
	t.log(s, line)
}

// refill gives lines that belong to no task a new allowance every second.
func (t *transcript) refill() bool {
	if t.seq != 0 || time.Since(t.since) < time.Second {
		return false
	}
	t.noteDropped()
	t.since = time.Now()
	return true
}

// keep appends to the tail, which may grow to twice its size before it is cut.
func (t *transcript) keep(line []byte) {
	t.tail = append(append(t.tail, line...), '\n')
	if len(t.tail) > 2*maxTail {
		t.tail = append(t.tail[:0], cutTail(t.tail)...)
	}
}

// cutTail returns the last whole lines that fit, or the last bytes of a longer one.
func cutTail(b []byte) []byte {
	if len(b) <= maxTail {
		return b
	}
	b = b[len(b)-maxTail:]
	if i := bytes.IndexByte(b, '\n'); i >= 0 && i < len(b)-1 {
		b = b[i+1:]
	}
	return b
}

// headers begin what the Go runtime prints when it dies.
var headers = []string{"panic: ", "fatal error: ", "SIGQUIT: ", "SIGSEGV: ", "SIGABRT: ", "SIGBUS: ", "SIGFPE: ", "SIGILL: ", "unexpected fault address "}

func (t *transcript) follow(line []byte) {
	for _, h := range headers {
		if bytes.HasPrefix(line, []byte(h)) && !t.tracing {
			t.tracing, t.trace = true, t.trace[:0]
			break
		}
	}
	if t.tracing && len(t.trace) < maxTrace {
		t.trace = append(append(t.trace, line...), '\n')
	}
}

// setAside keeps the tail of a task whose successor prints already, until its answer comes.
func (t *transcript) setAside() {
	seq := t.seq
	tail := t.end(seq)
	if seq == 0 || tail == "" {
		return
	}
	if t.kept += len(tail); t.tails == nil || t.kept > maxKept {
		t.tails, t.kept = map[uint64]string{}, len(tail)
	}
	t.tails[seq] = tail
}

// resume goes on with a task: its two streams are not read at the same time.
func (t *transcript) resume(seq uint64) {
	t.seq = seq
	if tail, ok := t.tails[seq]; ok {
		delete(t.tails, seq)
		t.kept -= len(tail)
		t.tail = append(t.tail[:0], tail...)
	}
}

// end closes a task's lines and returns the tail of them.
func (t *transcript) end(seq uint64) string {
	if seq != t.seq {
		tail := t.tails[seq]
		delete(t.tails, seq)
		t.kept -= len(tail)
		delete(t.labels, seq)
		return tail
	}
	t.noteDropped()
	tail := string(cutTail(t.tail))
	if t.tracing { // it was no death: the task went on and answered
		tail = string(cutTail(append(t.tail, t.trace...)))
	}
	t.tail, t.trace, t.tracing = t.tail[:0], t.trace[:0], false
	delete(t.labels, seq)
	t.seq = 0
	return tail
}

// close is end for the worker's last task, whose tail and trace stay.
func (t *transcript) close(seq uint64) {
	if seq != t.seq && seq != 0 {
		t.setAside()
		t.resume(seq)
	}
	t.noteDropped()
}

func (t *transcript) noteDropped() {
	if t.dropped > 0 {
		t.w.cfg.Logger.Warn("output was too long to be logged whole", t.with("bytes_left_out", t.dropped)...)
	}
	t.logged, t.dropped = 0, 0
}

func (t *transcript) with(args ...any) []any {
	args = append(args, "worker", t.w.name)
	if l := t.name(t.seq); l.id != "" {
		args = append(args, "correlation_id", l.id, "attempt", l.attempt)
	}
	return args
}

// log writes a line to the supervisor's logger: at the level its author chose if it is an
// hclog line, else at info, and a crash trace, which its record holds, at debug.
func (t *transcript) log(s int, line []byte) {
	logger := t.w.cfg.Logger
	if t.tracing && s == stderr {
		if logger.IsDebug() {
			logger.Debug(string(line), t.with("stream", "stderr")...)
		}
		return
	}
	if s == stderr && len(line) > 0 && line[0] == '{' && t.logJSON(line) {
		return
	}
	if logger.IsInfo() {
		logger.Info(string(line), t.with("stream", [...]string{"stdout", "stderr"}[s])...)
	}
}

// logJSON logs a line that hclog wrote in the worker.
func (t *transcript) logJSON(line []byte) bool {
	var fields map[string]any
	if json.Unmarshal(line, &fields) != nil {
		return false
	}
	message, ok := fields["@message"].(string)
	if !ok {
		return false
	}
	name, _ := fields["@level"].(string)
	level := hclog.LevelFromString(name)
	if level == hclog.NoLevel {
		level = hclog.Info
	}
	args := []any{"worker", t.w.name}
	for k, v := range fields {
		if !strings.HasPrefix(k, "@") && k != "worker" {
			args = append(args, k, v)
		}
	}
	t.w.cfg.Logger.Log(level, message, args...)
	return true
}
