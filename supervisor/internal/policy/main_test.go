package policy

import (
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixed is a random source that always says the same.
func fixed(f float64) func() float64 { return func() float64 { return f } }

// drawn is a random source whose numbers rapid chooses, in [0, 1).
func drawn(t *rapid.T) func() float64 {
	return func() float64 { return rapid.Float64Range(0, 0.9999999999999999).Draw(t, "rnd") }
}
