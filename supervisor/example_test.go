package supervisor_test

import (
	"context"
	"fmt"
	"log"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// A supervisor with two workers of the echo plugin answers one task.
func Example() {
	s, err := supervisor.New(supervisor.Config{
		Pools: []supervisor.PoolConfig{{Plugin: plugin("echo"), Workers: 2}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	h, err := s.Submit(ctx, task.Task{ID: "greeting", Payload: []byte("hello")})
	if err != nil {
		log.Fatal(err)
	}
	r, err := h.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s, %s\n", r.Task.ID, r.Status, r.Payload)
	// Output: greeting: completed, hello
}

func ExampleSupervisor_Map() {
	s, err := supervisor.New(supervisor.Config{
		Pools: []supervisor.PoolConfig{{Plugin: plugin("echo"), Workers: 2}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(); err != nil {
		log.Fatal(err)
	}
	words := func(yield func(task.Task, error) bool) {
		for _, w := range []string{"one", "two", "three"} {
			if !yield(task.Task{Payload: []byte(w)}, nil) {
				return
			}
		}
	}
	for r := range s.Map(context.Background(), words, supervisor.MapOptions{Ordered: true}) {
		fmt.Println(string(r.Payload))
	}
	// Output:
	// one
	// two
	// three
}

// Stop lets running tasks finish; Collect has the results of all.
func ExampleSupervisor_Stop() {
	s, err := supervisor.New(supervisor.Config{
		Pools: []supervisor.PoolConfig{{Plugin: plugin("faulty"), Workers: 1}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Start(); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if _, err := s.Submit(ctx, task.Task{Name: "exit", Payload: []byte(`{"code":3}`)}); err != nil {
		log.Fatal(err)
	}
	results, err := s.Collect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Stop(ctx); err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		fmt.Printf("%s after %d starts: %s\n", r.Status, r.Started, r.Attempts[0].Message)
	}
	// Output: dead after 2 starts: worker left by itself with exit code 3
}
