package peer

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

//go:embed pool.py
var script string

// ErrMissing wraps the reason why a peer cannot be measured on this machine.
var ErrMissing = errors.New("missing")

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

func (p *Python) run(ctx context.Context, a ask, value any) error {
	if p == nil {
		return fmt.Errorf("%w: no python3", ErrMissing)
	}
	in, err := json.Marshal(a)
	if err != nil {
		return err
	}
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, p.path, p.script)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("python %s %s: %w: %s", a.What, a.How, err, strings.TrimSpace(stderr.String()))
	}
	return json.Unmarshal(out.Bytes(), &struct{ Value any }{value})
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

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }
