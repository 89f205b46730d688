package mend

import "slices"

// damage is what the holes of a block cost.
func (s *stream) damage(i int) Damage {
	b := s.blocks[i]
	d := Damage{Stream: s.name, File: b.path}
	for _, o := range b.holes {
		after, before := s.around(i, o)
		r := Range{From: int64(o.from), To: int64(o.to)}
		if before > after+1 {
			r.First, r.Last = after+1, before-1
		}
		d.Ranges = append(d.Ranges, r)
		lost := 0
		for _, rec := range o.records {
			if rec.kind != message || rec.seq <= after || before > 0 && rec.seq >= before || s.isRemoved(rec.seq) {
				continue
			}
			lost++
			if len(rec.subject) > 0 && len(d.Names) < mostNames {
				d.Names = append(d.Names, string(rec.subject))
			}
		}
		if before == 0 {
			d.Count = AtLeast
		} else if gap := s.unknown(after+1, before-1); gap > lost {
			// Sequences may have been unused, or bytes cut out.
			lost, d.Count = gap, max(d.Count, AtMost)
		}
		d.Lost += lost
	}
	return d
}

// unknown is how many of the sequences from first to last are not known to be removed.
func (s *stream) unknown(first, last uint64) int {
	if last < first {
		return 0
	}
	from, _ := slices.BinarySearch(s.removed, first)
	to, _ := slices.BinarySearch(s.removed, last+1)
	return int(min(last-first+1, 1<<31)) - len(slices.Compact(slices.Clone(s.removed[from:to])))
}

// around is which sequences are before and after a hole, in other blocks if need be; 0: none is known.
func (s *stream) around(i int, o hole) (after, before uint64) {
	after, before = o.after, o.before
	for j := i - 1; after == 0 && j >= 0; j-- {
		after = s.blocks[j].last
	}
	for j := i + 1; before == 0 && j < len(s.blocks); j++ {
		before = s.blocks[j].first
	}
	if before == 0 && s.top > after {
		before = s.top + 1
	}
	return after, before
}
