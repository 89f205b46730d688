package memory_test

import (
	"context"
	"fmt"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/task"
)

// A task goes from whoever submits it to whoever leases it, and its result comes back.
func Example() {
	ctx := context.Background()
	b := memory.New(memory.Config{})
	defer b.Close()

	greet := &broker.Message{Pool: "greeters", Task: task.Task{ID: "1", Name: "greet", Payload: []byte("world")}}
	if errs := b.Enqueue(ctx, []*broker.Message{greet}); errs != nil {
		fmt.Println(errs[0])
		return
	}
	if _, err := b.OnResult(ctx, "1", func(r task.Result) { fmt.Printf("%s: %s\n", r.Status, r.Payload) }); err != nil {
		fmt.Println(err)
		return
	}

	leases, err := b.Lease(ctx, "greeters", 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range leases {
		answer := &task.Result{Task: l.Task, Status: task.Completed, Payload: append([]byte("hello "), l.Task.Payload...), Started: 1}
		if errs := b.Ack(ctx, []broker.Answer{{Lease: l, Result: answer}}); errs != nil {
			fmt.Println(errs[0])
		}
	}
	// Output: completed: hello world
}
