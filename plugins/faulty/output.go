package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/brood-run/brood/child"
)

type printParams struct {
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
	Lines  int    `json:"lines"`
}

// printed counts lines.
type printed struct {
	Stdout int `json:"stdout"`
	Stderr int `json:"stderr"`
}

func prints(_ context.Context, p printParams) (printed, error) {
	if p.Lines < 0 {
		return printed{}, child.Permanent(fmt.Errorf("lines is %d; it cannot be negative", p.Lines))
	}
	var done printed
	var err error
	if done.Stdout, err = printLines(os.Stdout, p.Stdout, p.Lines); err != nil {
		return printed{}, fmt.Errorf("stdout: %w", err)
	}
	if done.Stderr, err = printLines(os.Stderr, p.Stderr, p.Lines); err != nil {
		return printed{}, fmt.Errorf("stderr: %w", err)
	}
	return done, nil
}

// printLines writes text n times, each time as a line of its own, and says how many
// times it did; an empty text is not written.
func printLines(w io.Writer, text string, n int) (int, error) {
	if text == "" {
		return 0, nil
	}
	line := strings.TrimSuffix(text, "\n") + "\n"
	b := bufio.NewWriter(w)
	for range n {
		if _, err := b.WriteString(line); err != nil {
			return 0, err
		}
	}
	return n, b.Flush()
}

// flood writes to stdout until it is cancelled or killed.
func flood(ctx context.Context, _ struct{}) (empty, error) {
	return empty{}, pour(ctx, os.Stdout)
}

func pour(ctx context.Context, w io.Writer) error {
	block := bytes.Repeat([]byte("the flood rises, and nobody reads it in time\n"), 90)
	for ctx.Err() == nil {
		if _, err := w.Write(block); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// responses is the descriptor on which a worker sends its frames.
const responses = 4

// badFrame breaks the protocol: no frame begins with 255 nor is that long. Then it
// waits for what it deserves.
func badFrame(ctx context.Context, _ struct{}) (empty, error) {
	garbage := bytes.Repeat([]byte{0xff}, 64)
	if _, err := syscall.Write(responses, garbage); err != nil {
		return empty{}, fmt.Errorf("write garbage to fd %d: %w", responses, err)
	}
	<-ctx.Done()
	return empty{}, ctx.Err()
}
