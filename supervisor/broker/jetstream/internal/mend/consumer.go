package mend

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

const (
	metaFile  = "meta.inf"
	sumFile   = "meta.sum"
	stateFile = "o.dat"
)

// consumer is what is kept of one.
type consumer struct {
	name, dir string
	prefix    string // of the subjects that it delivers
	badMeta   bool
	badState  bool
	stateless bool
	delivered uint64 // the last sequence
	pending   map[uint64]bool
}

func (s *stream) findConsumers(guide Guide) error {
	entries, err := os.ReadDir(filepath.Join(s.dir, consumersDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		c := &consumer{name: e.Name(), dir: filepath.Join(s.dir, consumersDir, e.Name())}
		c.badMeta = !metaGood(s.name+"/"+c.name, c.dir)
		c.stateless = guide.Stateless(s.name, c.name)
		if err := c.readFilter(s, guide); err != nil {
			return err
		}
		if err := c.readState(); err != nil {
			return err
		}
		s.consumers = append(s.consumers, c)
	}
	return nil
}

// readFilter finds out what a consumer delivers.
func (c *consumer) readFilter(s *stream, guide Guide) error {
	read := func() ([]byte, error) { return os.ReadFile(filepath.Join(c.dir, metaFile)) }
	if c.badMeta {
		read = func() ([]byte, error) { return guide.Consumer(s.name, c.name) }
	}
	meta, err := read()
	if err != nil {
		return err
	}
	var config struct {
		Filter string `json:"filter_subject"`
	}
	err = json.Unmarshal(meta, &config)
	c.prefix = strings.TrimRight(config.Filter, "*>")
	return err
}

// done says that the consumer has delivered a message and does not wait for it to be acknowledged.
func (c *consumer) done(r record) bool {
	return r.seq <= c.delivered && bytes.HasPrefix(r.subject, []byte(c.prefix)) && !c.pending[r.seq]
}

// readState reads how far a consumer came. The file has no checksum.
func (c *consumer) readState() error {
	buf, err := os.ReadFile(filepath.Join(c.dir, stateFile))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	c.badState = !c.decode(buf)
	return nil
}

// decode reads a state: magic number and version; the floor and the end of what was delivered, each as the
// consumer's number and the stream's; what is pending and what was delivered again, by sequence from the floor on.
func (c *consumer) decode(buf []byte) bool {
	if len(buf) < 2 || buf[0] != 22 || buf[1] != 2 {
		return false
	}
	n := numbers{buf: buf[2:]}
	floorNumber, floor := n.next(), n.next()
	number, delivered := n.next(), n.next()
	if floorNumber > number || floor > delivered || delivered >= removalBit {
		return false
	}
	c.delivered, c.pending = delivered, map[uint64]bool{}
	if pending := n.next(); pending > 0 {
		_ = n.next() // the time that the others are relative to
		for ; pending > 0 && n.buf != nil; pending-- {
			seq := floor + n.next()
			if seq <= floor || seq > delivered || c.pending[seq] {
				return false
			}
			c.pending[seq] = true
			_, _ = n.next(), n.next() // the consumer's number, and the time
		}
	}
	for again := n.next(); again > 0 && n.buf != nil; again-- {
		_, _ = n.next(), n.next() // the sequence, and how often
	}
	return n.buf != nil && len(n.buf) == 0
}

// numbers are numbers of variable length, signed or not. The buffer is nil after the first that is none.
type numbers struct{ buf []byte }

func (n *numbers) next() uint64 {
	v, size := binary.Uvarint(n.buf)
	if size <= 0 {
		n.buf = nil
		return 0
	}
	n.buf = n.buf[size:]
	return v
}

// metaGood says that a configuration has its checksum.
func metaGood(name, dir string) bool {
	meta, err := os.ReadFile(filepath.Join(dir, metaFile))
	if err != nil {
		return false
	}
	sum, err := os.ReadFile(filepath.Join(dir, sumFile))
	return err == nil && string(sum) == metaSum(name, meta)
}

func metaSum(name string, meta []byte) string { return hex.EncodeToString(newHasher(name).sum(meta)) }
