package jetstream

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// spare is how much smaller than a message may be a task has to be, so that there is room for what becomes of it.
const spare = 4 << 10

// encodeTask is a task as it is stored.
func (b *Broker) encodeTask(m *broker.Message) ([]byte, error) {
	data, err := encode(toTask(m))
	if err == nil {
		err = b.fits(m.Task.ID, len(data)+min(spare, b.mostBytes()/4))
	}
	return data, err
}

// fits says whether the server takes a message of that size.
func (s *session) fits(id string, size int) error {
	if limit := s.mostBytes(); size > limit {
		return fmt.Errorf("%w: task %.50q takes %d bytes, the server takes at most %d", broker.ErrTooLarge, id, size, limit)
	}
	return nil
}

func (s *session) mostBytes() int { return int(min(s.nc.MaxPayload(), mostMessage)) }

// encodeLess is what is stored of a task. While it is too large, it is made smaller, in the order of what is missed least.
func (s *session) encodeLess(id string, m proto.Message, less ...func()) ([]byte, error) {
	for {
		data, err := encode(m)
		if err == nil {
			err = s.fits(id, len(data))
		}
		if err == nil || len(less) == 0 {
			return data, err
		}
		less[0]()
		less = less[1:]
	}
}

// bare leaves of attempts what is small.
func bare(attempts []*storepb.Attempt) {
	for _, a := range attempts {
		a.Stack, a.OutputTail = "", ""
	}
}
