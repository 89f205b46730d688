package child

import (
	"context"
	"encoding/json"
	"fmt"
)

// JSON makes a Handler of a function with typed input and output. An empty payload
// is In's zero value. A payload that does not decode, or an output that does not
// encode, is a Permanent error: another attempt would meet the same.
func JSON[In, Out any](f func(ctx context.Context, in In) (Out, error)) Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		var in In
		if len(payload) > 0 {
			if err := json.Unmarshal(payload, &in); err != nil {
				return nil, Permanent(fmt.Errorf("payload does not decode into %T: %w", in, err))
			}
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		result, err := json.Marshal(out)
		if err != nil {
			return nil, Permanent(fmt.Errorf("result does not encode from %T: %w", out, err))
		}
		return result, nil
	}
}
