// Probe is a plugin whose tasks say when their handlers are entered, which is what a test of
// a supervisor needs to know before it cancels, stops or kills.
package main

import (
	"context"
	"os"
	"os/exec"
	"time"

	"github.com/brood-run/brood/child"
)

func main() {
	if os.Getenv(bombKey) != "" {
		explode()
	}
	p := child.New("probe")
	p.Handle("hold", hold)
	p.Handle("cling", cling)
	p.Handle("leave", leave)
	p.Handle("log", log)
	p.Handle("bomb", bomb)
	p.Handle("fill", fill)
	p.OnStop(linger)
	p.Handle("gorge", gorge)
	p.Serve()
}

// linger takes as long to stop as PROBE_STOP says.
func linger(ctx context.Context) {
	d, err := time.ParseDuration(os.Getenv("PROBE_STOP"))
	if err != nil {
		return // it says nothing
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// leave has its worker replaced.
func leave(ctx context.Context, payload []byte) ([]byte, error) {
	child.Recycle(ctx, "the probe asks for it")
	return payload, nil
}

// gorge has a child take memory until it ends, and then returns or, with a payload, stays.
func gorge(ctx context.Context, payload []byte) ([]byte, error) {
	err := exec.CommandContext(ctx, "tail", "/dev/zero").Run()
	if err != nil && len(payload) > 0 {
		return hold(ctx, payload)
	}
	return nil, err
}

// log writes a line as an author would.
func log(ctx context.Context, payload []byte) ([]byte, error) {
	child.Logger(ctx).Warn("the probe says", "what", string(payload))
	return payload, nil
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
