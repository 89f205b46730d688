package main

import (
	"context"

	"github.com/brood-run/brood/child"
)

func main() {
	p := child.New("echo", child.Version("1.0"))
	p.Handle("echo", echo)
	p.Serve()
}

// echo answers with what it was given.
func echo(_ context.Context, payload []byte) ([]byte, error) {
	return payload, nil
}
