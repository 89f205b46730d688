package child_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/brood-run/brood/child"
)

// A whole plugin: compile it and give the binary to "brood run --plugin".
func Example() {
	p := child.New("shouter", child.Version("1.0"))
	p.Handle("shout", func(ctx context.Context, payload []byte) ([]byte, error) {
		child.Logger(ctx).Debug("shouting", "bytes", len(payload))
		return bytes.ToUpper(payload), nil
	})
	p.Serve() // never returns
}

func ExampleJSON() {
	type in struct{ A, B int }
	type out struct {
		Sum int `json:"sum"`
	}
	add := child.JSON(func(_ context.Context, i in) (out, error) { return out{i.A + i.B}, nil })

	result, err := add(context.Background(), []byte(`{"a": 2, "b": 3}`))
	fmt.Println(string(result), err)
	_, err = add(context.Background(), []byte(`{"a": "two"}`))
	fmt.Println(err)
	// Output:
	// {"sum":5} <nil>
	// payload does not decode into child_test.in: json: cannot unmarshal string into Go struct field in.A of type int
}

// A handler chooses what its error means for the task.
func ExampleRetryAfter() {
	busy, gone := errors.New("service busy"), errors.New("no such customer")
	p := child.New("billing")
	p.Handle("charge", func(_ context.Context, payload []byte) ([]byte, error) {
		switch string(payload) {
		case "busy":
			return nil, child.RetryAfter(busy, 30*time.Second)
		case "gone":
			return nil, child.Permanent(gone)
		}
		return []byte("charged"), nil
	})
	p.Serve()
}

// The context ends at the soft timeout and when nobody wants the task any more; its
// cause says which.
func ExamplePlugin_Handle() {
	p := child.New("poller")
	p.Handle("poll", func(ctx context.Context, _ []byte) ([]byte, error) {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for i := range 10 {
			child.Progress(ctx, float64(i)/10, "polling")
			select {
			case <-tick.C:
			case <-ctx.Done():
				if context.Cause(ctx) == child.ErrSoftTimeout {
					return []byte("what there is so far"), nil
				}
				return nil, context.Cause(ctx)
			}
		}
		return []byte("all of it"), nil
	})
	p.Serve()
}
