package mend

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
)

// blocks mends the blocks of a stream. It says whether it changed any.
func (m *mender) blocks(s *stream) (changed bool, err error) {
	var newest uint64 // that is there
	for _, b := range s.blocks {
		newest = max(newest, b.last)
	}
	top := max(newest, slices.Max(append(s.removed, 0))) // that there was
	for i, b := range s.blocks {
		last := i == len(s.blocks)-1
		switch {
		case len(b.holes) == 0:
			continue
		case last && len(b.holes) == 1 && b.holes[0].torn && s.top <= top:
			d := s.damage(i)
			d.What, d.Torn = "a file of messages was not written to its end, as after a power cut: the incomplete record at its end is dropped", true
			m.tell(d)
			continue
		}
		mended, err := m.block(s, i)
		if err != nil {
			return changed, err
		}
		changed = changed || mended
	}
	if s.top > top && !s.toldEnd() {
		m.tell(Damage{
			Stream: s.name, File: filepath.Join(s.dir, messagesDir), Ranges: []Range{{First: top + 1, Last: s.top}},
			Lost: s.unknown(top+1, s.top), Count: AtMost, What: "the newest messages are not there any more",
		})
	}
	if top = max(top, s.top); !changed || top <= newest {
		return changed, nil
	}
	// A sequence that was used must not be used again: there may be a removal of it.
	b := s.blocks[len(s.blocks)-1]
	buf, err := read(b.path, nil)
	if err != nil {
		return changed, err
	}
	h := newHasher(b.hasher)
	return changed, replace(b.path, h.appendErased(without(buf, h.walk(buf, func(record) {})), top))
}

// toldEnd says that the end of the stream is damaged in a way that was told.
func (s *stream) toldEnd() bool {
	if len(s.blocks) == 0 {
		return false
	}
	holes := s.blocks[len(s.blocks)-1].holes
	return len(holes) > 0 && holes[len(holes)-1].before == 0
}

// block mends one block, if it can.
func (m *mender) block(s *stream, i int) (bool, error) {
	b, d := s.blocks[i], s.damage(i)
	buf, err := read(b.path, nil)
	if err != nil {
		return false, err
	}
	mended, good := without(buf, b.holes), 0
	if left := newHasher(b.hasher).walk(mended, func(record) { good++ }); len(left) > 0 || good != b.good {
		d.What = "a file of messages is damaged and cannot be mended: it is as it was, and the server drops what is behind the damage"
		m.tell(d)
		return false, nil
	}
	if d.Aside, err = m.aside(s.name, b.path); err != nil {
		return false, err
	}
	if err := replace(b.path, mended); err != nil {
		return false, err
	}
	d.What = "a file of messages is damaged: what is not in the damaged part is served, and the file was put aside"
	m.tell(d)
	return true, nil
}

// meta puts a configuration in place of a damaged one.
func (m *mender) meta(stream, name, dir string, meta []byte) error {
	d := Damage{Stream: stream, File: filepath.Join(dir, metaFile), What: "a configuration is damaged and was made again", Mild: true}
	for _, file := range []string{metaFile, sumFile} {
		aside, err := m.aside(stream, filepath.Join(dir, file))
		if err != nil {
			return err
		}
		d.Aside = cmp.Or(d.Aside, aside)
	}
	m.tell(d)
	return errors.Join(replace(filepath.Join(dir, metaFile), meta), replace(filepath.Join(dir, sumFile), []byte(metaSum(name, meta))))
}
