package supervisor_test

import (
	"context"
	"errors"
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

// Other settings are given to a pool while it runs. They must work: otherwise it goes on with those
// it had.
func ExampleSupervisor_Reload() {
	pools := []supervisor.PoolConfig{{Plugin: plugin("faulty"), Workers: 2}}
	s, err := supervisor.New(supervisor.Config{Pools: pools})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	pools[0].Workers, pools[0].MaxTasksPerChild = 3, 1000
	if err := s.Reload(ctx, pools); err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Snapshot().Pools[0].Size, "workers")
	pools[0].Env = []string{"FAULTY_START=exit"}
	err = s.Reload(ctx, pools)
	fmt.Println("rolled back:", errors.Is(err, supervisor.ErrRolledBack))
	// Output:
	// 3 workers
	// rolled back: true
}

func ExampleSupervisor_Scale() {
	s, err := supervisor.New(supervisor.Config{
		Pools: []supervisor.PoolConfig{{Name: "words", Plugin: plugin("echo"), Workers: 1}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(); err != nil {
		log.Fatal(err)
	}
	if err := s.Scale("words", 4); err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Snapshot().Pools[0].Size, "workers")
	fmt.Println(s.Scale("wrods", 4))
	// Output:
	// 4 workers
	// there is no pool named "wrods"; the pools are: words
}

func ExampleSupervisor_Recycle() {
	s, err := supervisor.New(supervisor.Config{
		Pools: []supervisor.PoolConfig{{Plugin: plugin("echo"), Workers: 1}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(); err != nil {
		log.Fatal(err)
	}
	if err := s.WaitReady(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Recycle(s.Snapshot().Pools[0].Workers[0].Name))
	fmt.Println(s.Recycle("echo-99"))
	// Output:
	// <nil>
	// there is no worker named "echo-99"
}
