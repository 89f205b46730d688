package broker

import (
	"fmt"

	"github.com/brood-run/brood/supervisor/task"
)

// MaxKey is the length of the longest unique or concurrency key, in bytes.
const MaxKey = 256

// Validate says what is wrong with a message, besides its task, naming the field, or nil. The
// error wraps task.ErrInvalid.
func (m *Message) Validate() error {
	switch {
	case len(m.UniqueKey) > MaxKey:
		return fmt.Errorf("%w: unique_key is %d bytes long, the limit is %d", task.ErrInvalid, len(m.UniqueKey), MaxKey)
	case m.UniqueTTL < 0:
		return fmt.Errorf("%w: unique_ttl %v is negative", task.ErrInvalid, m.UniqueTTL)
	case m.UniqueTTL > 0 && m.UniqueKey == "":
		return fmt.Errorf("%w: unique_ttl without unique_key", task.ErrInvalid)
	case len(m.ConcurrencyKey) > MaxKey:
		return fmt.Errorf("%w: concurrency_key is %d bytes long, the limit is %d", task.ErrInvalid, len(m.ConcurrencyKey), MaxKey)
	case m.ConcurrencyKey != "" && m.ConcurrencyLimit < 1:
		return fmt.Errorf("%w: concurrency_limit %d is less than 1", task.ErrInvalid, m.ConcurrencyLimit)
	case m.ConcurrencyKey == "" && m.ConcurrencyLimit != 0:
		return fmt.Errorf("%w: concurrency_limit without concurrency_key", task.ErrInvalid)
	case !m.Expires.IsZero() && !m.NotBefore.IsZero() && !m.NotBefore.Before(m.Expires):
		return fmt.Errorf("%w: it would expire before it may start", task.ErrInvalid)
	}
	return nil
}
