package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"sync"

	"github.com/brood-run/brood/cmd/internal/bench"
	"github.com/brood-run/brood/cmd/internal/bench/limit"
)

// streaming is the memory of brood itself while very many tasks pass through.
func (l *lab) streaming() []group {
	name := "RSS of brood run, " + bench.Count(float64(l.stream)) + " tasks"
	return []group{{
		rows:    []row{{name + ", least", bytesOf}, {name + ", most", bytesOf}},
		entries: []entry{{"", ours, l.streamed}},
		rounds:  1,
	}}
}

func (l *lab) streamed(ctx context.Context) ([]float64, error) {
	cmd := exec.CommandContext(ctx, l.brood(), "run", "--plugin", l.plugin("echo"), "--workers", strconv.Itoa(l.cores()), "--log-level", "warn")
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
	var feeder sync.WaitGroup
	var fed error
	feeder.Go(func() { fed = feed(in, jsonLine(), l.stream) })
	memory, err := sample(out, cmd.Process.Pid, l.stream)
	feeder.Wait()
	if err := errors.Join(err, fed, cmd.Wait()); err != nil {
		return nil, fmt.Errorf("brood run: %w", err)
	}
	return []float64{slices.Min(memory), slices.Max(memory)}, nil
}

func feed(to io.WriteCloser, line []byte, n int) error {
	w := bufio.NewWriterSize(to, 256<<10)
	for range n {
		if _, err := w.Write(line); err != nil {
			return errors.Join(err, to.Close())
		}
	}
	return errors.Join(w.Flush(), to.Close())
}

// sample reads results and looks at the memory of process pid at each tenth of them.
func sample(from io.Reader, pid, total int) ([]float64, error) {
	var memory []float64
	buf := make([]byte, 256<<10)
	seen, next := 0, total/10
	for {
		n, err := from.Read(buf)
		for seen += bytes.Count(buf[:n], []byte{'\n'}); seen >= next; next += total / 10 {
			if rss := limit.RSS(pid); rss > 0 { // it may have ended with the last
				memory = append(memory, float64(rss))
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if seen != total || len(memory) == 0 {
		return nil, fmt.Errorf("%d results for %d tasks, %d looks at the memory", seen, total, len(memory))
	}
	return memory, nil
}
