package cli

import (
	"hash/maphash"
	"strconv"
	"strings"
)

// window is how far back a duplicate id is found: memory stays flat however
// long the input is.
const window = 512 << 10

// seen finds ids that were used before among at least the last window of them.
// Explicit ids are kept as 64-bit hashes in two generations: when the young one
// is full, the old one is dropped. Ids that lines got from their number cost one
// bit each. One goroutine owns it.
type seen struct {
	seed       maphash.Seed
	young, old hashSet
	numbered   []uint64 // bit n%window: line n got its id from its number
	lookalike  bool     // an explicit id has the form of such an id
}

func newSeen() *seen {
	return &seen{
		seed:     maphash.MakeSeed(),
		numbered: make([]uint64, window/64),
	}
}

// number marks line n, which comes after all lines marked before, as having an
// id of its own or not.
func (s *seen) number(n int, own bool) {
	word, bit := &s.numbered[n%window/64], uint64(1)<<(n%64)
	if own {
		*word &^= bit
	} else {
		*word |= bit
	}
}

// explicit says whether an id that line n spells out was used before, and
// remembers it.
func (s *seen) explicit(id string, n int) bool {
	if k, ok := lineNumber(id); ok {
		s.lookalike = true
		if k < n && n-k < window && s.numbered[k%window/64]&(1<<(k%64)) != 0 {
			return true
		}
	}
	return s.remember(id)
}

// automatic says whether the id that line n gets from its number was spelled out before.
func (s *seen) automatic(id string) bool {
	if !s.lookalike {
		return false
	}
	h := s.hash(id)
	return s.young.has(h) || s.old.has(h)
}

// remember says whether id was there before.
func (s *seen) remember(id string) bool {
	h := s.hash(id)
	if s.young.has(h) {
		return true
	}
	if s.young.full() {
		s.old, s.young = s.young, hashSet{}
	}
	s.young.add(h)
	return s.old.has(h)
}

// hash is never zero, which a hashSet takes for a free slot.
func (s *seen) hash(id string) uint64 { return max(maphash.String(s.seed, id), 1) }

const numberPrefix = "line-"

func lineID(n int) string { return numberPrefix + strconv.Itoa(n) }

// lineNumber is the inverse of lineID.
func lineNumber(id string) (int, bool) {
	digits, ok := strings.CutPrefix(id, numberPrefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n > 0 && lineID(n) == id
}
