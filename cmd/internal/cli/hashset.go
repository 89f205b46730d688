package cli

// hashSet is a set of at most window hashes in one flat block of memory, a
// quarter of what a map needs. It cannot shrink or grow: a full set is replaced.
type hashSet struct {
	slots []uint64 // open addressing; 0 is free
	n     int
}

// hashSlots keeps a full set half empty, so that probes stay short.
const hashSlots = 2 * window

// find returns the slot that holds h, or the free one where it belongs.
func (s *hashSet) find(h uint64) (slot *uint64, held bool) {
	for i := h % hashSlots; ; i = (i + 1) % hashSlots {
		switch s.slots[i] {
		case h:
			return &s.slots[i], true
		case 0:
			return &s.slots[i], false
		}
	}
}

func (s *hashSet) has(h uint64) bool {
	if s.n == 0 {
		return false
	}
	_, held := s.find(h)
	return held
}

// add says whether h is new. The caller replaces a full set before it adds.
func (s *hashSet) add(h uint64) bool {
	if s.slots == nil {
		s.slots = make([]uint64, hashSlots)
	}
	slot, held := s.find(h)
	if held {
		return false
	}
	*slot = h
	s.n++
	return true
}

func (s *hashSet) full() bool { return s.n >= window }
