package jetstream

import "testing"

// Who gets a pool ready at the moment that it is paused does not resume it with what the server said before.
func TestPausedMeanwhile(t *testing.T) {
	b := embedded(t)
	p, err := b.pool(t.Context(), poolName)
	if err != nil {
		t.Fatal(err)
	}
	before := p.paused
	if err := b.Pause(t.Context(), poolName, true); err != nil {
		t.Fatal(err)
	}
	p.found(false, before)
	enqueue(t, b, message("x"))
	nothing(t, b)
	if err := b.Pause(t.Context(), poolName, false); err != nil {
		t.Fatal(err)
	}
	lease(t, b, 1)
}
