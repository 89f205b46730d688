package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"
)

// outcome is how a command ended and what it printed.
type outcome struct {
	state          *os.ProcessState
	stdout, stderr capture
}

// result is the task's answer.
type result struct {
	Argv            []string `json:"argv"`
	ExitCode        int      `json:"exit_code"`
	Signal          string   `json:"signal"`
	Stdout          *string  `json:"stdout,omitempty"`
	StdoutBase64    []byte   `json:"stdout_base64,omitempty"`
	StdoutTruncated bool     `json:"stdout_truncated,omitempty"`
	Stderr          *string  `json:"stderr,omitempty"`
	StderrBase64    []byte   `json:"stderr_base64,omitempty"`
	StderrTruncated bool     `json:"stderr_truncated,omitempty"`
}

// encode is the outcome as the task's answer.
func (o *outcome) encode(argv []string) ([]byte, error) {
	r := result{Argv: argv, ExitCode: o.state.ExitCode(), Signal: o.signal()}
	r.Stdout, r.StdoutBase64, r.StdoutTruncated = o.stdout.text()
	r.Stderr, r.StderrBase64, r.StderrTruncated = o.stderr.text()
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false) // output is full of < and &, and nobody puts it into a page unescaped
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// text is the capture as a string, or as bytes where JSON could not carry it.
func (c *capture) text() (text *string, raw []byte, cut bool) {
	b, cut := c.bytes()
	if !utf8.Valid(b) {
		return nil, b, cut
	}
	s := string(b)
	return &s, nil, cut
}

// signal names the signal that ended the command, "" if none did.
func (o *outcome) signal() string {
	if ws, ok := o.state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return signalName(ws.Signal())
	}
	return ""
}

// ending says how the command ended in two or three words.
func (o *outcome) ending() string {
	if s := o.signal(); s != "" {
		return "killed by " + s
	}
	return fmt.Sprintf("exit code %d", o.state.ExitCode())
}

// failure is the error for a command that did not succeed: how it ended and
// the last it said about it.
func (o *outcome) failure(name string) error {
	stderr, _ := o.stderr.bytes()
	if last := lastLines(stderr); last != "" {
		return fmt.Errorf("%s: %s: %s", name, o.ending(), last)
	}
	return fmt.Errorf("%s: %s", name, o.ending())
}

// lastLines returns the end of b that is worth a place in an error message: at
// most three lines that are not blank, at most 500 bytes.
func lastLines(b []byte) string {
	const maxLines, maxBytes = 3, 500
	if len(b) > 2*maxBytes {
		b = b[len(b)-2*maxBytes:]
	}
	var lines []string
	for line := range strings.Lines(strings.ToValidUTF8(string(b), "?")) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines[max(0, len(lines)-maxLines):], "\n")
	if len(text) > maxBytes {
		text = string(trimFirstRune([]byte(text[len(text)-maxBytes:])))
	}
	return text
}
