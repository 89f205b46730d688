package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/brood-run/brood/child"
)

// ok is the good task: it answers its payload.
func ok(_ context.Context, payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return []byte("{}"), nil
	}
	return payload, nil
}

type identity struct {
	PID     int `json:"pid"`
	Attempt int `json:"attempt"`
}

func pid(ctx context.Context, _ struct{}) (identity, error) {
	return identity{os.Getpid(), child.TaskInfo(ctx).Attempt}, nil
}

type message struct {
	Message string `json:"message"`
}

func fail(_ context.Context, p message) (empty, error) { return empty{}, errors.New(p.Message) }

func panics(_ context.Context, p message) (empty, error) { panic(p.Message) }

type retryParams struct {
	SucceedOn int `json:"succeed_on"`
}

type attempt struct {
	Attempt int `json:"attempt"`
}

// retry fails until the attempt that it was told to succeed on.
func retry(ctx context.Context, p retryParams) (attempt, error) {
	n := child.TaskInfo(ctx).Attempt
	if n < p.SucceedOn {
		return attempt{}, fmt.Errorf("attempt %d fails, attempt %d will succeed", n, p.SucceedOn)
	}
	return attempt{n}, nil
}
