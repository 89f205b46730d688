package cli

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// taskLine is an input line while it is read.
type taskLine struct {
	task       task.Task
	file       string // payload_file
	forms      int    // how many ways of giving the payload it uses
	seen       uint16 // one bit for each key met, by keyIndex
	maxPayload int
}

// lineKeys are the keys of an input line. A key's place is its bit in taskLine.seen.
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

const lineKeys = "id, task, payload, payload_base64, payload_file, priority, soft_timeout, hard_timeout, max_attempts, at_most_once, expires, meta"

// parseTaskLine reads one line. The task's payload points into text. With an
// error, the task holds what could be read up to there.
func parseTaskLine(text []byte, maxPayload int) (task.Task, error) {
	l := taskLine{maxPayload: maxPayload}
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
	i := keyIndex(key)
	if i < 0 {
		return fmt.Errorf("unknown key %q; the keys are %s", key, lineKeys)
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
	}
	return err
}

func nonEmpty(value []byte) (string, error) {
	s, err := unquote(value)
	if err == nil && s == "" {
		err = errors.New("expected some text, found an empty string")
	}
	return s, err
}

func decodeBase64(value []byte) ([]byte, error) {
	s, err := unquote(value)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("expected standard base64 with padding: %w", err)
	}
	return raw, nil
}

func decodeWhole(value []byte, lowest, highest int) (int, error) {
	n, err := strconv.Atoi(string(value))
	if err != nil || n < lowest || n > highest {
		return 0, fmt.Errorf("expected a whole number from %d to %d, found %s", lowest, highest, brief(value))
	}
	return n, nil
}

// decodeTimeout reads a task's own timeout. Zero switches the pool's off, which
// the library spells as a negative one.
func decodeTimeout(value []byte) (time.Duration, error) {
	d, err := decodeDuration(value)
	if err == nil && d == 0 {
		d = -1
	}
	return d, err
}

func decodeExpires(value []byte) (time.Duration, error) {
	d, err := decodeDuration(value)
	if err == nil && d == 0 {
		err = errors.New("expected a duration above zero")
	}
	return d, err
}

func decodeDuration(value []byte) (time.Duration, error) {
	s, err := unquote(value)
	if err != nil {
		return 0, fmt.Errorf("expected a string with a unit such as \"30s\", found %s", brief(value))
	}
	return parseDuration(s)
}

func decodeBool(value []byte) (bool, error) {
	switch string(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("expected true or false, found %s", brief(value))
}

func decodeMeta(value []byte) (map[string]string, error) {
	meta := make(map[string]string)
	if !bytes.HasPrefix(value, []byte("{")) {
		return nil, fmt.Errorf("expected an object of strings, found %s", brief(value))
	}
	err := members(value, func(key string, v []byte) error {
		s, err := unquote(v)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if _, twice := meta[key]; twice {
			return fmt.Errorf("%s is given twice", key)
		}
		meta[key] = s
		return nil
	})
	return meta, err
}

// readPayload reads a regular file: a FIFO or a device could block the input for ever.
func readPayload(path string, most int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("payload_file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("payload_file: %s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("payload_file: %w", err)
	}
	defer f.Close()
	// One byte more than allowed tells a file that is too large from one that fits.
	raw, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("payload_file: %w", err)
	}
	if len(raw) > most {
		return nil, fmt.Errorf("payload_file: %s is %d bytes, the limit is %d", path, max(info.Size(), int64(len(raw))), most)
	}
	return raw, nil
}
