package broker

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/brood-run/brood/supervisor/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestVanishKeepsTheFirstAndTheLastAttempts(t *testing.T) {
	var h History
	for range 100 {
		before := h
		h.Vanish()
		if before.Starts != h.Starts-1 || len(before.Attempts) > 0 && before.Attempts[0].N != 1 {
			t.Fatalf("from %+v to %+v", before, h)
		}
	}
	if len(h.Attempts) != maxRecords || h.Attempts[4].N != 5 || h.Attempts[5].N != 86 || h.Attempts[maxRecords-1].N != 100 {
		t.Errorf("kept %+v", h.Attempts)
	}
	if a := h.Attempts[0]; a.Outcome != task.OutcomeCrashed || a.ExitCode != -1 {
		t.Errorf("%+v", a)
	}
}
