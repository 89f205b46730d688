package brokertest

import (
	"slices"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// Kit makes the brokers of one kind.
type Kit struct {
	// New makes an empty store. What it needs is cleaned up with t.Cleanup. Tests run in parallel,
	// each with stores of its own.
	New func(t testing.TB, s Settings) *Store
	// LeaseTime is what the tests take in which leases lapse: as short as the broker can
	// keep it. Defaults to 500 ms.
	LeaseTime time.Duration
	// Patience is how long a test may take: a kind of broker that is slow to make a pool asks for more.
	// Defaults to a minute.
	Patience time.Duration
	// Durable: a broker that is opened on a store finds what earlier ones have left there.
	Durable bool
	// Shared: several brokers may be open on one store at once.
	Shared bool
	// Rounds is how often calls in a random order are played at most, some 30 each time. Defaults to
	// as often as rapid asks for, which is 100 times: a broker that needs a second for one says less. Traffic
	// is reduced with them.
	Rounds int
	// Groups are the names of the groups of tests to run, as "enqueue" or "shared". Defaults to all.
	Groups []string
}

// Settings are what a test asks of a store's brokers.
type Settings struct {
	LeaseTime   time.Duration
	ResultTTL   time.Duration
	QueueSize   int // how many tasks a pool holds before it is full
	ResultLimit int // how many results are kept, if there is a limit at all
}

// Store is where brokers keep their tasks.
type Store struct {
	// Open returns a broker on the store. The test closes it, before the store is cleaned up.
	Open func(t testing.TB) broker.Broker
	// Break makes the store unreachable for all its brokers, as a server that is killed; Mend brings
	// it back with what it had acknowledged. Both are nil where there is no such thing.
	Break, Mend func(t testing.TB)
}

// Run asks everything of a kind of broker.
func Run(t *testing.T, k Kit) {
	if k.LeaseTime == 0 {
		k.LeaseTime = 500 * time.Millisecond
	}
	if k.Patience == 0 {
		k.Patience = patience
	}
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"enqueue", enqueueTests},
		{"values", valueTests},
		{"order", orderTests},
		{"lease", leaseTests},
		{"lapse", lapseTests},
		{"ack", ackTests},
		{"nack", nackTests},
		{"time", timeTests},
		{"unique", uniqueTests},
		{"concurrency", concurrencyTests},
		{"ledger", ledgerTests},
		{"cancel", cancelTests},
		{"pools", poolTests},
		{"dead", deadTests},
		{"close", closeTests},
		{"durable", durableTests},
		{"shared", sharedTests},
		{"outage", outageTests},
		{"model", modelTests},
	} {
		if len(k.Groups) > 0 && !slices.Contains(k.Groups, group.name) {
			continue
		}
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range group.tests {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.run(newRig(t, k, c.settings))
				})
			}
		})
	}
}

// test is one of the suite. Zero settings are those of newRig.
type test struct {
	name     string
	settings func(Kit) Settings
	run      func(*rig)
}

// lapsing are the settings of tests that let leases lapse.
func lapsing(k Kit) Settings { return Settings{LeaseTime: k.LeaseTime} }
