package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench/limit"
	"github.com/brood-run/brood/cmd/internal/bench/peer"
)

// files is brood run from a file of JSON lines to a file of results, its start and its
// end included.
func (l *lab) files() []group {
	return []group{{
		rows: []row{{fmt.Sprintf("64 B tasks/s, file to file, %s", workers(l.cores())), perSecond}},
		entries: []entry{
			{"", ours, l.runFile},
			{pipeLoops(l.cores()), bound, func(context.Context) ([]float64, error) {
				rates, err := l.pipes(l.cores())
				if err != nil {
					return nil, err
				}
				return rates[:1], nil
			}},
		},
	}}
}

func (l *lab) runFile(ctx context.Context) ([]float64, error) {
	input, output := filepath.Join(l.dir, "tasks.jsonl"), filepath.Join(l.dir, "results.jsonl")
	if err := os.WriteFile(input, bytes.Repeat(jsonLine(), l.lines), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, l.brood(), "run", "--plugin", l.plugin("echo"), "--workers", strconv.Itoa(l.cores()), "--log-level", "warn",
		"--input", input, "--output", output)
	took, err := timedRun(cmd)
	if err != nil {
		return nil, err
	}
	results, err := os.ReadFile(output)
	if err != nil {
		return nil, err
	}
	answer := fmt.Appendf(nil, `"status":"completed","result":"%s"`, payload(64))
	if n := bytes.Count(results, answer); n != l.lines {
		return nil, fmt.Errorf("%d tasks of %d came back as they were sent", n, l.lines)
	}
	return []float64{float64(l.lines) / took.Seconds()}, nil
}

// jsonLine is a task for brood run.
func jsonLine() []byte { return fmt.Appendf(nil, "{\"payload\":\"%s\"}\n", payload(64)) }

// timedRun runs a command to its end.
func timedRun(cmd *exec.Cmd) (time.Duration, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	return time.Since(began), nil
}

// commands is the exec plugin beside the programs that people run commands with.
func (l *lab) commands() []group {
	jobs := strconv.Itoa(l.cores())
	return []group{{
		rows: []row{{"exec plugin, /bin/true for each task", perSecond}},
		entries: []entry{
			{"", ours, l.lineByLine(l.brood(), "run", "--plugin", l.plugin("exec"), "--workers", jobs, "--log-level", "warn", "--output", os.DevNull, "--", "true")},
			{forkExec, bound, func(ctx context.Context) ([]float64, error) {
				path, err := exec.LookPath("true")
				if err != nil {
					return nil, fmt.Errorf("%w: %w", peer.ErrMissing, err)
				}
				rate, err := limit.SpawnRate(ctx, path, l.cores(), 2*l.span)
				return []float64{rate}, err
			}},
			{"xargs -P " + jobs, rival, l.lineByLine("xargs", "-P", jobs, "-n", "1", "true")},
			{"GNU parallel -j " + jobs, rival, l.lineByLine("parallel", "-j", jobs, "true")},
		},
	}}
}

// lineByLine gives a program many lines, for each of which it runs a command.
func (l *lab) lineByLine(program string, args ...string) func(context.Context) ([]float64, error) {
	return func(ctx context.Context) ([]float64, error) {
		path, err := exec.LookPath(program)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", peer.ErrMissing, err)
		}
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Stdin = strings.NewReader(strings.Repeat("x\n", l.execs))
		took, err := timedRun(cmd)
		if err != nil {
			return nil, err
		}
		return []float64{float64(l.execs) / took.Seconds()}, nil
	}
}
