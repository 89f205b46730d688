package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/brood-run/brood/supervisor/task"
)

// taskLine is an input line while it is read.
type taskLine struct {
	task  task.Task
	more  *lineOptions // the options that only a server has; nil where they are unknown keys
	file  string       // payload_file
	forms int          // how many ways of giving the payload it uses
	seen  uint32       // one bit for each key met, by keyIndex
}

// lineKeys are the keys of an input line, as an error lists them.
const lineKeys = "id, task, payload, payload_base64, payload_file, priority, soft_timeout, hard_timeout, max_attempts, at_most_once, expires, meta"

// keyIndex is a key's bit in taskLine.seen, or -1 if there is no such key.
func keyIndex(key string) int {
	switch key {
	case "id":
		return 0
	case "task":
		return 1
	case "payload":
		return 2
	case "payload_base64":
		return 3
	case "payload_file":
		return 4
	case "priority":
		return 5
	case "soft_timeout":
		return 6
	case "hard_timeout":
		return 7
	case "max_attempts":
		return 8
	case "at_most_once":
		return 9
	case "expires":
		return 10
	case "meta":
		return 11
	}
	return -1
}

// keyIndex is that of the function, with the keys that lines for a server may have.
func (l *taskLine) keyIndex(key string) int {
	if i := keyIndex(key); i >= 0 || l.more == nil {
		return i
	}
	return serverKeyIndex(key)
}

func (l *taskLine) keys() string {
	if l.more == nil {
		return lineKeys
	}
	return lineKeys + ", " + strings.Join(serverKeys, ", ")
}

// parseTaskLine reads one line. The task's payload points into text. With an
// error, the task holds what could be read up to there.
func parseTaskLine(text []byte, maxPayload int) (task.Task, error) {
	var l taskLine
	return l.parse(text, maxPayload)
}

func (l *taskLine) parse(text []byte, maxPayload int) (task.Task, error) {
	err := members(text, l.member)
	if err != nil {
		if l.task.ID == "" {
			l.task.ID = idWithin(text)
		}
		return l.task, err
	}
	switch {
	case l.forms == 0:
		return l.task, errors.New("a payload is missing: give payload, payload_base64 or payload_file")
	case l.forms > 1:
		return l.task, errors.New("give one of payload, payload_base64 and payload_file, not several")
	}
	if l.file != "" {
		l.task.Payload, err = readPayload(l.file, maxPayload)
	}
	return l.task, err
}

func (l *taskLine) member(key string, value []byte) error {
	i := l.keyIndex(key)
	if i < 0 {
		return fmt.Errorf("unknown key %q; the keys are %s", key, l.keys())
	}
	if l.seen&(1<<i) != 0 {
		return fmt.Errorf("%s is given twice", key)
	}
	l.seen |= 1 << i
	if err := l.set(key, value); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func (l *taskLine) set(key string, value []byte) (err error) {
	t := &l.task
	switch key {
	case "id":
		t.ID, err = nonEmpty(value)
	case "task":
		t.Name, err = nonEmpty(value)
	case "payload":
		l.forms++
		t.Payload = value
	case "payload_base64":
		l.forms++
		t.Payload, err = decodeBase64(value)
	case "payload_file":
		l.forms++
		l.file, err = nonEmpty(value)
	case "priority":
		t.Priority, err = decodeWhole(value, task.MinPriority, task.MaxPriority)
	case "max_attempts":
		t.MaxAttempts, err = decodeWhole(value, 1, 65535)
	case "soft_timeout":
		t.SoftTimeout, err = decodeTimeout(value)
	case "hard_timeout":
		t.HardTimeout, err = decodeTimeout(value)
	case "expires":
		t.Expires, err = decodeExpires(value)
	case "at_most_once":
		t.AtMostOnce, err = decodeBool(value)
	case "meta":
		t.Meta, err = decodeMeta(value)
	default:
		err = l.more.set(key, value)
	}
	return err
}
