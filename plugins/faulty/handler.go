package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/brood-run/brood/child"
)

// handler makes a child.Handler of a task with parameters: an empty payload means
// the defaults, a key left out its default, and an unknown key is an error, lest a
// test with a typing mistake passes.
func handler[Params, Answer any](defaults Params, task func(context.Context, Params) (Answer, error)) child.Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		params, err := decode(payload, defaults)
		if err != nil {
			return nil, child.Permanent(err)
		}
		answer, err := task(ctx, params)
		if err != nil {
			return nil, err
		}
		return json.Marshal(answer)
	}
}

func decode[Params any](payload []byte, params Params) (Params, error) {
	if len(bytes.TrimSpace(payload)) == 0 {
		return params, nil
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&params); err != nil {
		return params, fmt.Errorf("parameters: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return params, fmt.Errorf("parameters: something follows the JSON object")
	}
	return params, nil
}

// empty is the answer {} of tasks that have nothing to say.
type empty struct{}
