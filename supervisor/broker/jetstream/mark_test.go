package jetstream

import "testing"

// A process that leases what an earlier one had leased before does not forget how far that one had come.
func TestMarkDoesNotGoBack(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, Config{Dir: dir})
	enqueue(t, b, many("a", 20)...)
	leaseN(t, b, 20)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = opened(t, Config{Dir: dir})
	level := lease(t, b, 1)[0].Token.(*claim).level
	mark, err := b.mark(t.Context(), poolName, level)
	if err != nil {
		t.Fatal(err)
	}
	if mark < 20 {
		t.Errorf("the mark went back to %d, want 20", mark)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}
