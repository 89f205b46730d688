package peer

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

//go:embed pool.py
var script string

// ErrMissing wraps the reason why a peer cannot be measured on this machine.
var ErrMissing = errors.New("missing")

// ErrNever says that a peer was asked and never answers.
var ErrNever = errors.New("never")

// Python runs the script that drives Python's process pools.
type Python struct {
	Version string // "3.11.7"
	path    string
	script  string
}

// FindPython looks for python3. The script is kept in dir: the pools that start
// their workers afresh import it from there.
func FindPython(ctx context.Context, dir string) (*Python, error) {
	path, err := exec.LookPath("python3")
	if err != nil {
		return nil, fmt.Errorf("%w: no python3 on PATH", ErrMissing)
	}
	// The program itself: a version manager's wrapper would be measured with it.
	out, err := exec.CommandContext(ctx, path, "-c", "import sys, platform; print(sys.executable); print(platform.python_version())").Output()
	lines := strings.Fields(string(out))
	if err != nil || len(lines) != 2 {
		return nil, fmt.Errorf("%w: python3 does not run (%v)", ErrMissing, err)
	}
	p := &Python{Version: lines[1], path: lines[0], script: dir + "/pool.py"}
	return p, os.WriteFile(p.script, []byte(script), 0o600)
}

// ask is one question to the script, which documents them.
type ask struct {
	What    string  `json:"what"`
	How     string  `json:"how,omitempty"`
	Workers int     `json:"workers,omitempty"`
	Size    *int    `json:"size,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
}

// patience is how long Python may take beyond what it was asked to measure.
const patience = 30 * time.Second

// run asks in a process group of its own, because a pool's workers outlive their
// pool if that is killed. The script kills the group when it has been read.
func (p *Python) run(ctx context.Context, a ask, value any) error {
	if p == nil {
		return fmt.Errorf("%w: no python3", ErrMissing)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience+2*time.Duration(a.Seconds*float64(time.Second)), errors.New("no answer"))
	defer cancel()
	cmd := exec.CommandContext(ctx, p.path, p.script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	line, err := converse(cmd, a)
	var answer struct {
		Value json.RawMessage
		Error string
	}
	if err == nil {
		err = json.Unmarshal(line, &answer)
	}
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case answer.Error != "":
		err = errors.New(answer.Error)
	case err == nil:
		return json.Unmarshal(answer.Value, value)
	}
	return fmt.Errorf("python %s %s: %w %s", a.What, a.How, err, strings.TrimSpace(stderr.String()))
}

// converse writes a line, reads one, and waits for the end.
func converse(cmd *exec.Cmd, question any) ([]byte, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	err = json.NewEncoder(in).Encode(question)
	line, readErr := bufio.NewReader(out).ReadBytes('\n')
	in.Close()
	_ = cmd.Wait() // it kills itself
	return line, errors.Join(err, readErr)
}

// Throughput of a pool in tasks a second. How is apply, apply_async, imap1, imap64 or
// executor.
func (p *Python) Throughput(ctx context.Context, how string, workers, size int, d time.Duration) (rate float64, err error) {
	err = p.run(ctx, ask{"throughput", how, workers, &size, d.Seconds()}, &rate)
	return rate, err
}

// Alone is the round trip of one task at a time. How is pool or executor.
func (p *Python) Alone(ctx context.Context, how string, size int, d time.Duration) (p50, p99 time.Duration, err error) {
	var took struct{ P50, P99 float64 }
	err = p.run(ctx, ask{What: "alone", How: how, Size: &size, Seconds: d.Seconds()}, &took)
	return seconds(took.P50), seconds(took.P99), err
}

// Fresh is the rate of tasks that each get a process of their own.
func (p *Python) Fresh(ctx context.Context, workers int, d time.Duration) (rate float64, err error) {
	err = p.run(ctx, ask{What: "fresh", Workers: workers, Seconds: d.Seconds()}, &rate)
	return rate, err
}

// Spawn is the time from the start of a process to its first answer. How is fork or spawn.
func (p *Python) Spawn(ctx context.Context, how string) (time.Duration, error) {
	var took float64
	err := p.run(ctx, ask{What: "spawn", How: how}, &took)
	return seconds(took), err
}

// RSS of an idle worker of a pool, in bytes.
func (p *Python) RSS(ctx context.Context) (n float64, err error) {
	err = p.run(ctx, ask{What: "rss"}, &n)
	return n, err
}

// Killed is the time from the SIGKILL of a worker until its task runs again, where
// the caller makes a new pool if he must. How is pool or executor.
func (p *Python) Killed(ctx context.Context, how string) (time.Duration, error) {
	var took *float64
	if err := p.run(ctx, ask{What: "killed", How: how}, &took); err != nil {
		return 0, err
	}
	if took == nil {
		return 0, ErrNever
	}
	return seconds(*took), nil
}

// Storm is tasks a second of a ProcessPoolExecutor when each 100th kills its worker.
func (p *Python) Storm(ctx context.Context, workers int, d time.Duration) (rate float64, err error) {
	err = p.run(ctx, ask{What: "storm", Workers: workers, Seconds: d.Seconds()}, &rate)
	return rate, err
}

// Fair is the time until so many tasks of a millisecond are done that came behind one of
// long. How is pool or executor.
func (p *Python) Fair(ctx context.Context, how string, workers, short int, long time.Duration) (time.Duration, error) {
	var took float64
	err := p.run(ctx, ask{"fair", how, workers, &short, long.Seconds()}, &took)
	return seconds(took), err
}

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }
