package supervisor

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	before := time.Now().UnixMilli()
	for range 10_000 {
		id := newID(time.Now())
		u, err := uuid.Parse(id)
		if err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 || seen[id] {
			t.Fatalf("%s: version %d, variant %v, seen %v, %v", id, u.Version(), u.Variant(), seen[id], err)
		}
		seen[id] = true
		sec, nsec := u.Time().UnixTime()
		if ms := sec*1000 + nsec/1e6; ms < before || ms > time.Now().UnixMilli() {
			t.Fatalf("%s is of %d ms, now is %d", id, ms, before)
		}
	}
}
