package pace

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rate is a promise in both directions: nothing is early, nothing is left out.
func TestSteadyKeepsItsRate(t *testing.T) {
	for _, rate := range []float64{100, 10_000, 1e6} {
		total := int(rate / 20) // 50 ms of them
		began, sent := time.Now(), 0
		err := Steady(t.Context(), rate, total, func(n int, due time.Time) error {
			sent += n
			if early := float64(sent) - due.Sub(began).Seconds()*rate; n < 1 || early > 1.01 {
				t.Errorf("rate %v: %d at once, %.2f too early", rate, n, early)
			}
			return nil
		})
		if err != nil || sent != total {
			t.Errorf("rate %v: %d of %d, %v", rate, sent, total, err)
		}
	}
}

func TestSteadyEnds(t *testing.T) {
	refused := errors.New("refused")
	if err := Steady(t.Context(), 1, 2, func(int, time.Time) error { return refused }); err != refused {
		t.Errorf("a refusal became %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	err := Steady(ctx, 1e-3, 2, func(int, time.Time) error { cancel(refused); return nil })
	if err != refused {
		t.Errorf("the end of its context became %v", err)
	}
}
