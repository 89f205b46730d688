package memory_test

import (
	"testing"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/brokertest"
	"github.com/brood-run/brood/supervisor/broker/memory"
)

func TestConformance(t *testing.T) {
	brokertest.Run(t, brokertest.Kit{New: newStore})
}

// newStore is a store with one broker, which holds all that there is.
func newStore(_ testing.TB, s brokertest.Settings) *brokertest.Store {
	return &brokertest.Store{Open: func(testing.TB) broker.Broker {
		return memory.New(memory.Config{
			LeaseTime: s.LeaseTime, ResultTTL: s.ResultTTL, QueueSize: s.QueueSize, ResultLimit: s.ResultLimit,
		})
	}}
}
