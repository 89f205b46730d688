package supervisor

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// newID returns a version 7 UUID (RFC 9562, section 5.7) of a time: 48 bits of milliseconds,
// the rest random. An id names a task, it keeps no secret: the fast generator will do, at a fifth of
// the price of uuid.NewV7.
func newID(at time.Time) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|uint64(rand.Uint32()>>16))
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	id[6] = id[6]&0x0f | 0x70 // version
	id[8] = id[8]&0x3f | 0x80 // variant
	return id.String()
}
