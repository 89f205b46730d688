package jetstream

import (
	"testing"
	"time"
)

// How long results are kept may be changed in either direction.
func TestResultTTLChanges(t *testing.T) {
	dir := t.TempDir()
	for _, ttl := range []time.Duration{time.Hour, time.Second, 24 * time.Hour} {
		b := opened(t, Config{Dir: dir, ResultTTL: ttl})
		s, err := b.js.Stream(t.Context(), b.names.stream("r"))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.CachedInfo().Config.MaxAge; got != ttl {
			t.Errorf("results are kept for %v, want %v", got, ttl)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
