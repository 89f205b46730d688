package scoreboard_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// envHelper makes the test binary the worker of a test.
const envHelper = "SCOREBOARD_TEST_HELPER"

func TestMain(m *testing.M) {
	if what := os.Getenv(envHelper); what != "" {
		os.Exit(helper(what))
	}
	goleak.VerifyTestMain(m)
}
