package mend

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

const (
	messagesDir  = "msgs"
	consumersDir = "obs"
	blockSuffix  = ".blk"
	mendSuffix   = ".mend"
	// atOnce is how many blocks are in memory at a time.
	atOnce = 2
	// largestBlock is more than the server makes: 8 MiB and one record.
	largestBlock = 8<<20 + mostRecord + 1<<20
)

// stream is what was found out about one.
type stream struct {
	name, dir string
	blocks    []*block
	consumers []*consumer
	sample    []byte // a message
	badMeta   bool
	badIndex  bool
	top       uint64 // the last sequence that the index knows
	removed   []uint64
}

// block is what was found out about one.
type block struct {
	path        string
	index       int
	hasher      string // the name of its checksums
	good        int    // records
	first, last uint64
	removed     []uint64
	finished    [][]uint64 // by consumer: messages that it has seen and does not wait for
	holes       []hole
	sample      []byte
}

// survey looks at a stream and changes nothing but what was left over by an earlier run.
func (m *mender) survey(dir string) (*stream, error) {
	s := &stream{name: filepath.Base(dir), dir: dir}
	s.badMeta = !metaGood(s.name, dir)
	if err := s.findConsumers(m.guide); err != nil {
		return nil, err
	}
	if err := s.findBlocks(); err != nil {
		return nil, err
	}
	buffers := make(chan []byte, atOnce)
	for range atOnce {
		buffers <- nil
	}
	var work errgroup.Group
	work.SetLimit(atOnce)
	for _, b := range s.blocks {
		work.Go(func() error {
			buf := <-buffers
			defer func() { buffers <- buf }()
			var err error
			if buf, err = read(b.path, buf); err == nil {
				b.survey(s, buf)
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	for _, b := range s.blocks {
		s.removed = append(s.removed, b.removed...)
		if s.sample == nil {
			s.sample = b.sample
		}
	}
	slices.Sort(s.removed)
	return s, s.readIndex()
}

func (s *stream) findBlocks() error {
	entries, err := os.ReadDir(filepath.Join(s.dir, messagesDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(s.dir, messagesDir, e.Name())
		if strings.HasSuffix(e.Name(), mendSuffix) {
			if err := remove(path); err != nil {
				return err
			}
		}
		number, ok := strings.CutSuffix(e.Name(), blockSuffix)
		if index, err := strconv.Atoi(number); ok && err == nil && strconv.Itoa(index) == number {
			s.blocks = append(s.blocks, &block{path: path, index: index, hasher: s.name + "-" + number})
		}
	}
	slices.SortFunc(s.blocks, func(a, b *block) int { return cmp.Compare(a.index, b.index) })
	return nil
}

// survey walks a block.
func (b *block) survey(s *stream, buf []byte) {
	b.finished = make([][]uint64, len(s.consumers))
	b.holes = newHasher(b.hasher).walk(buf, func(r record) {
		b.good++
		if r.kind == removal {
			b.removed = append(b.removed, r.seq)
			return
		}
		if b.first == 0 {
			b.first = r.seq
		}
		b.last = max(b.last, r.seq)
		if r.kind == erased {
			return
		}
		if b.sample == nil {
			b.sample = bytes.Clone(r.data)
		}
		for i, c := range s.consumers {
			if c.done(r) {
				b.finished[i] = append(b.finished[i], r.seq)
			}
		}
	})
	for _, o := range b.holes { // the buffer is about to be used again
		for i := range o.records {
			o.records[i].subject, o.records[i].data = bytes.Clone(o.records[i].subject), nil
		}
	}
}

// read reads a file into a buffer, or a larger one.
func read(path string, buf []byte) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return buf, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return buf, err
	}
	if info.Size() > largestBlock {
		return buf, fmt.Errorf("%s has %d bytes, the largest that the server makes is %d: move it away", path, info.Size(), largestBlock)
	}
	buf = slices.Grow(buf[:0], int(info.Size()))[:info.Size()]
	_, err = io.ReadFull(f, buf)
	return buf, err
}

// contradicts says that a consumer takes messages for done that are there: the server would remove them. If removals
// may have been lost, the messages are what is wrong.
func (s *stream) contradicts(c *consumer) bool {
	i := slices.Index(s.consumers, c)
	for _, b := range s.blocks {
		if len(b.holes) > 0 {
			return false
		}
	}
	for _, b := range s.blocks {
		left := slices.DeleteFunc(b.finished[i], s.isRemoved)
		// The server does not write down the removal of the last message of a block that it keeps for the removals in it.
		kept := slices.ContainsFunc(b.removed, func(seq uint64) bool { return seq < b.first })
		if len(left) > 1 || len(left) == 1 && !kept {
			return true
		}
	}
	return false
}

func (s *stream) isRemoved(seq uint64) bool {
	_, found := slices.BinarySearch(s.removed, seq)
	return found
}

// readIndex finds out how far the stream went, if the index is good.
func (s *stream) readIndex() error {
	buf, err := os.ReadFile(filepath.Join(s.dir, messagesDir, indexFile))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	s.badIndex = true
	if len(buf) < 2+sumSize {
		return nil
	}
	body, sum := buf[:len(buf)-sumSize], buf[len(buf)-sumSize:]
	if !bytes.Equal(newHasher(s.name).sum(body), sum) {
		return nil
	}
	s.badIndex = false
	// Magic number and version; messages, bytes, first sequence, its time, last sequence.
	n := numbers{buf: body[2:]}
	for range 4 {
		_ = n.next()
	}
	s.top = n.next()
	return nil
}
