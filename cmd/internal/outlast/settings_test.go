package outlast

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// number of the environment, or its default.
func setting(t testing.TB, name string, value int) int {
	text := os.Getenv(name)
	if text == "" {
		return value
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is %q: %v", name, text, err)
	}
	return n
}

func lasting(t testing.TB, name string, value time.Duration) time.Duration {
	text := os.Getenv(name)
	if text == "" {
		return value
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s is %q: %v", name, text, err)
	}
	return d
}

// seed of a run; a failure prints it.
func seed(t testing.TB) uint64 {
	s := uint64(setting(t, "SEED", int(rand.Uint32())))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("run the same schedule again with SEED=%d", s)
		}
	})
	return s
}
