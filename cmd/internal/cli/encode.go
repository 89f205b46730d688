package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/brood-run/brood/supervisor/task"
)

// appendResult appends a result as one line of JSON, its end included. It is
// written by hand because it runs once for each task and because a result that
// is JSON must leave byte for byte as it came.
func appendResult(dst []byte, r *task.Result) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, r.Task.ID)
	dst = append(dst, `,"task":`...)
	dst = appendString(dst, r.Task.Name)
	dst = append(dst, `,"status":"`...)
	dst = append(dst, r.Status...)
	dst = append(dst, '"')
	if r.Status == task.Completed {
		dst = appendPayload(dst, r.Payload)
	}
	if r.Err != nil {
		dst = append(dst, `,"error":{"kind":`...)
		dst = appendString(dst, r.Err.Kind)
		dst = append(dst, `,"message":`...)
		dst = appendString(dst, r.Err.Message)
		dst = append(dst, '}')
	}
	if len(r.Attempts) > 0 {
		dst = appendAttempts(dst, r.Attempts)
	}
	dst = append(dst, `,"queued_ms":`...)
	dst = appendMillis(dst, r.Queued)
	dst = append(dst, `,"run_ms":`...)
	dst = appendMillis(dst, r.Run)
	return append(dst, '}', '\n')
}

func appendPayload(dst, payload []byte) []byte {
	if !utf8.Valid(payload) || !json.Valid(payload) {
		dst = append(dst, `,"result_base64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, payload)
		return append(dst, '"')
	}
	dst = append(dst, `,"result":`...)
	if !bytes.ContainsAny(payload, "\r\n") {
		return append(dst, payload...)
	}
	// Line ends in valid JSON are white space, and one result is one line.
	var compact bytes.Buffer
	if err := json.Compact(&compact, payload); err != nil {
		panic("cli: valid JSON does not compact: " + err.Error())
	}
	return append(dst, compact.Bytes()...)
}

// attemptLine is an attempt in a result line.
type attemptLine struct {
	N          int             `json:"n"`
	Worker     string          `json:"worker"`
	PID        int             `json:"pid"`
	Outcome    task.Outcome    `json:"outcome"`
	Message    string          `json:"message,omitempty"`
	Signal     string          `json:"signal,omitempty"`
	ExitCode   *int            `json:"exit_code,omitempty"`
	PeakRSS    uint64          `json:"peak_rss,omitempty"`
	CPU        json.RawMessage `json:"cpu_ms"`
	Run        json.RawMessage `json:"run_ms"`
	OutputTail string          `json:"output_tail,omitempty"`
	Stack      string          `json:"stack,omitempty"`
}

func appendAttempts(dst []byte, attempts []task.Attempt) []byte {
	dst = append(dst, `,"attempts":`...)
	return append(dst, attemptsJSON(attempts)...)
}

func attemptsJSON(attempts []task.Attempt) []byte {
	lines := make([]attemptLine, len(attempts))
	for i, a := range attempts {
		lines[i] = attemptLine{
			N: a.N, Worker: a.Worker, PID: a.PID, Outcome: a.Outcome, Message: a.Message, Signal: a.Signal,
			PeakRSS: a.PeakRSS, CPU: appendMillis(nil, a.CPU), Run: appendMillis(nil, a.Run),
			OutputTail: a.OutputTail, Stack: a.Stack,
		}
		if a.ExitCode >= 0 {
			lines[i].ExitCode = &a.ExitCode
		}
	}
	return appendJSON(nil, lines)
}

// appendJSON appends v, leaving <, > and & alone: results are read by programs
// and people, not by browsers.
func appendJSON(dst []byte, v any) []byte {
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("cli: a plain struct does not encode: " + err.Error())
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return appendJSON(dst, s)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// appendMillis appends a duration in milliseconds, exact to the microsecond.
func appendMillis(dst []byte, d time.Duration) []byte {
	return strconv.AppendFloat(dst, float64(d.Microseconds())/1000, 'f', -1, 64)
}
