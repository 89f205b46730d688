package jetstream

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victim); dir != "" {
		fmt.Fprintln(os.Stderr, beVictim(dir))
		os.Exit(1)
	}
	// Most tests wait most of the time: for leases that lapse, for servers that start.
	if os.Getenv(long) == "" {
		if err := flag.Set("test.parallel", "6"); err != nil {
			panic(err)
		}
	}
	// A server that is stopped while it makes a stream with others leaves behind what was to keep that stream.
	const nats = "github.com/nats-io/nats-server/v2/server"
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(nats+".(*fileStore).flushStreamStateLoop"), goleak.IgnoreAnyFunction(nats+"/ats.Register.func1"))
}
