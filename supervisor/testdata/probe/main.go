// Probe is a plugin whose tasks say when their handlers are entered, which is what a test of
// a supervisor needs to know before it cancels, stops or kills.
package main

import (
	"context"
	"time"

	"github.com/brood-run/brood/child"
)

func main() {
	p := child.New("probe")
	p.Handle("hold", hold)
	p.Handle("cling", cling)
	p.Serve()
}

// hold says that it was entered and then waits until it is cancelled.
func hold(ctx context.Context, _ []byte) ([]byte, error) {
	child.Progress(ctx, 0, "entered")
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// cling does the same and never returns.
func cling(ctx context.Context, _ []byte) ([]byte, error) {
	child.Progress(ctx, 0, "entered")
	clingForever()
	return nil, nil
}

//go:noinline
func clingForever() {
	for {
		time.Sleep(time.Hour)
	}
}
