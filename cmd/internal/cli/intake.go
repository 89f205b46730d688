package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"unicode/utf8"

	"github.com/brood-run/brood/supervisor/task"
)

// intake turns arguments or lines into tasks. Map's goroutine calls tasks; the
// other methods may be called from any goroutine.
type intake struct {
	args    []string
	blocks  *blocks // nil when the tasks are arguments
	defTask string
	plain   bool // a line that is no object is a payload, as xargs takes it
	max     int  // payload bytes
	done    func(id string) bool
	seen    *seen

	read    atomic.Int64 // tasks handed out
	skipped atomic.Int64 // completed by an earlier run
	ended   atomic.Bool  // nothing more will come
	failure atomic.Pointer[error]
}

// byteOrderMark is how some editors begin a file.
const byteOrderMark = "\xef\xbb\xbf"

// tasks is the iterator that Map reads.
func (in *intake) tasks(yield func(task.Task, error) bool) {
	defer in.ended.Store(true)
	if in.blocks == nil {
		in.argTasks(yield)
		return
	}
	reader := &lineReader{next: in.blocks.next, max: in.max/3*4 + 256<<10}
	for {
		l, err := reader.read()
		if err != nil {
			if err != io.EOF && !errors.Is(err, errHalted) {
				in.failure.Store(&err)
			}
			return
		}
		if rest, marked := bytes.CutPrefix(l.text, []byte(byteOrderMark)); marked && l.number == 1 {
			l.text, l.size = rest, l.size-len(byteOrderMark)
		}
		if len(bytes.TrimSpace(l.text)) == 0 && !l.tooLong() {
			in.seen.number(l.number, true)
			continue
		}
		t, err := in.lineTask(l)
		if !in.emit(yield, t, err) {
			return
		}
	}
}

func (in *intake) argTasks(yield func(task.Task, error) bool) {
	for i, arg := range in.args {
		o := &origin{place: "argument", n: i + 1, text: []byte(arg), plain: true}
		payload, err := plainPayload(o.text)
		t := task.Task{ID: fmt.Sprintf("arg-%d", o.n), Payload: payload}
		t.Tag = o
		if !in.emit(yield, t, err) {
			return
		}
	}
}

// plainPayload makes text a JSON string. Text that is not UTF-8 has no such form.
func plainPayload(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("not UTF-8, so it cannot be a JSON string; use a line with payload_base64")
	}
	return appendString(make([]byte, 0, len(text)+2), string(text)), nil
}

// emit finishes a task, or its rejection, and passes it on.
func (in *intake) emit(yield func(task.Task, error) bool, t task.Task, err error) bool {
	if err == nil && in.done(t.ID) {
		in.skipped.Add(1)
		return true
	}
	if t.Name == "" {
		t.Name = in.defTask
	}
	if err == nil {
		err = t.Validate(in.max)
	}
	if err != nil {
		err = t.Tag.(*origin).reject(err)
	}
	in.read.Add(1)
	return yield(t, err)
}

// err is why the input ended early, if it did. Called after tasks has returned.
func (in *intake) err() error {
	if err := in.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// lineTask reads one line. The error says why the line is rejected.
func (in *intake) lineTask(l line) (task.Task, error) {
	o := &origin{place: "line", n: l.number}
	if l.tooLong() {
		t := task.Task{ID: idWithin(l.text)}
		err := fmt.Errorf("the line is %d bytes long, too long for a payload of at most %d bytes; it was skipped", l.size, in.max)
		return in.identify(t, o, err)
	}
	o.text = bytes.Clone(l.text)
	if in.plain && l.text[0] != '{' {
		o.plain = true
		payload, err := plainPayload(o.text)
		return in.identify(task.Task{Payload: payload}, o, err)
	}
	t, err := parseTaskLine(o.text, in.max)
	o.named = t.Name != ""
	return in.identify(t, o, err)
}

// identify gives a task its id, or finds that the id is taken.
func (in *intake) identify(t task.Task, o *origin, err error) (task.Task, error) {
	o.ownID = t.ID != ""
	t.Tag = o
	// A rejected line does not use up the id it has or would get: a good one
	// further down may have it, as in a dead-letter file that is fed back.
	in.seen.number(o.n, o.ownID || err != nil)
	if err != nil {
		if !o.ownID {
			t.ID = lineID(o.n)
		}
		return t, err
	}
	taken := false
	if o.ownID {
		taken = in.seen.explicit(t.ID, o.n)
	} else {
		t.ID = lineID(o.n)
		taken = in.seen.automatic(t.ID)
	}
	if taken {
		err = &task.Error{Kind: task.KindDuplicate, Message: fmt.Sprintf("the id %q was used before", t.ID)}
	}
	return t, err
}

// interrupt takes what is on its way and then ends the input; halt ends it now.
func (in *intake) interrupt() {
	if in.blocks != nil {
		in.blocks.interrupt()
	}
}

func (in *intake) halt() {
	if in.blocks != nil {
		in.blocks.halt()
	}
}
