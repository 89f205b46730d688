package proc

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes the test binary its own crew: with helperVar set it plays that part
// instead of running tests.
func TestMain(m *testing.M) {
	if part := os.Getenv(helperVar); part != "" {
		play(part, os.Args[1:])
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}
