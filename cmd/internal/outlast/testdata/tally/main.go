// Tally is a plugin whose task writes down that it was started before it does anything else, so that
// a test can count starts whoever is killed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/brood-run/brood/child"
)

// work is what a task is asked to do.
type work struct {
	MS        int `json:"ms"`         // how long it takes
	FailUntil int `json:"fail_until"` // the first attempt that does not fail
}

// start is one start of a handler: a line of the book, and the answer of the task.
type start struct {
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	Mark    string `json:"mark"` // no other start has it
	Worker  string `json:"worker"`
	At      int64  `json:"at"` // Unix milliseconds
}

func main() {
	book, err := os.OpenFile(os.Getenv("TALLY_BOOK"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally: TALLY_BOOK:", err)
		os.Exit(1)
	}
	t := &tally{book: book, began: time.Now()}
	p := child.New("tally")
	p.Handle("tally", t.handle)
	p.Serve()
}

type tally struct {
	book  *os.File
	began time.Time
	count atomic.Int64
}

func (t *tally) handle(ctx context.Context, payload []byte) ([]byte, error) {
	var w work
	if err := json.Unmarshal(payload, &w); err != nil {
		return nil, child.Permanent(err)
	}
	info := child.TaskInfo(ctx)
	line, err := json.Marshal(start{
		ID: info.ID, Attempt: info.Attempt, Worker: info.Worker, At: time.Now().UnixMilli(),
		Mark: fmt.Sprintf("%d-%x-%d", os.Getpid(), t.began.UnixNano(), t.count.Add(1)),
	})
	if err != nil {
		return nil, err
	}
	// One write, so that the lines of several workers do not mix.
	if _, err := t.book.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	if w.MS > 0 {
		time.Sleep(time.Duration(w.MS) * time.Millisecond) // as if it did not listen to anybody
	}
	if info.Attempt < w.FailUntil {
		return nil, fmt.Errorf("attempt %d fails as asked", info.Attempt)
	}
	return line, nil
}
