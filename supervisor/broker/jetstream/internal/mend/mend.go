package mend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Guide knows what belongs to a stream. It is asked only for what is damaged.
type Guide struct {
	// Stream returns the configuration of a stream as the server stores it. sample is one of its messages, nil if
	// none can be read.
	Stream func(stream string, sample []byte) ([]byte, error)
	// Consumer returns the configuration of a consumer as the server stores it.
	Consumer func(stream, consumer string) ([]byte, error)
	// Stateless says that a consumer goes on without its state, which is removed.
	Stateless func(stream, consumer string) bool
}

// Damage is what is wrong with one file, or with a stream.
type Damage struct {
	Stream string
	File   string
	What   string // for people
	Aside  string // where the file is as it was, empty if it is where it was
	Ranges []Range
	Lost   int      // messages that are lost
	Count  Count    // what Lost is
	Names  []string // subjects of those of them that can still be read, at most mostNames
	Torn   bool     // what is damaged was being written when the machine, or the server, stopped
	Mild   bool     // nothing is lost
}

// Count says what a number is.
type Count int

const (
	Exactly Count = iota
	AtMost        // some may have been removed before
	AtLeast       // how many there were is not known
)

// String is what to write before a number.
func (c Count) String() string { return [...]string{"", "at most ", "at least "}[c] }

// Range is a part of a file, and the sequences that may have been in it.
type Range struct {
	From, To    int64 // bytes, To excluded
	First, Last uint64
}

// mostNames bounds the subjects that are told.
const mostNames = 50

// ErrUnknown says that nothing in the files can be read.
var ErrUnknown = errors.New("none of the files of messages can be read: they are damaged as a whole, or of another version of the server. Nothing was changed; move the directory away to begin with an empty one")

// Dir looks at all that a server has under dir, and mends it. It returns what it found, and an error if the server
// must not be started.
func Dir(dir string, guide Guide) ([]Damage, error) {
	m := &mender{dir: dir, guide: guide}
	paths, err := fs.Glob(os.DirFS(dir), "jetstream/*/streams/*")
	if err != nil {
		return nil, err
	}
	var streams []*stream
	var good, bad int
	for _, path := range paths {
		if strings.HasPrefix(filepath.Base(path), ".") { // being removed
			continue
		}
		s, err := m.survey(filepath.Join(dir, path))
		if err != nil {
			return nil, fmt.Errorf("look for damage: %w", err)
		}
		streams = append(streams, s)
		for _, b := range s.blocks {
			good += b.good
			if b.good == 0 && slices.ContainsFunc(b.holes, func(o hole) bool { return !o.zero }) {
				bad++
			}
		}
	}
	if good == 0 && bad > 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrUnknown)
	}
	for _, s := range streams {
		if err := m.mend(s); err != nil {
			return m.found, fmt.Errorf("mend damaged files of stream %s: %w", s.name, err)
		}
	}
	return m.found, nil
}

// mender is one run over a directory.
type mender struct {
	dir   string
	guide Guide
	found []Damage
}

func (m *mender) tell(d Damage) { m.found = append(m.found, d) }

// mend mends a stream that was looked at.
func (m *mender) mend(s *stream) error {
	for _, c := range s.consumers {
		if err := m.consumer(s, c); err != nil {
			return err
		}
	}
	changed, err := m.blocks(s)
	if err != nil {
		return err
	}
	if err := m.index(s, changed); err != nil {
		return err
	}
	if !s.badMeta {
		return nil
	}
	meta, err := m.guide.Stream(s.name, s.sample)
	if err != nil {
		return fmt.Errorf("its configuration %s is damaged: %w", filepath.Join(s.dir, metaFile), err)
	}
	return m.meta(s.name, s.name, s.dir, meta)
}

// consumer mends what is kept of a consumer.
func (m *mender) consumer(s *stream, c *consumer) error {
	if c.badMeta {
		meta, err := m.guide.Consumer(s.name, c.name)
		if err != nil {
			return fmt.Errorf("the configuration %s is damaged: %w", filepath.Join(c.dir, metaFile), err)
		}
		if err := m.meta(s.name, s.name+"/"+c.name, c.dir, meta); err != nil {
			return err
		}
	}
	path := filepath.Join(c.dir, stateFile)
	switch {
	case c.stateless:
		return remove(path)
	case c.badState || s.contradicts(c):
		aside, err := m.aside(s.name, path)
		if err != nil {
			return err
		}
		m.tell(Damage{
			Stream: s.name, File: path, Aside: aside, Mild: true,
			What: "the state of a consumer is damaged and was put aside: what was leased is found out from what is stored of the tasks",
		})
		return remove(path)
	}
	return nil
}

// indices are files that the server makes again from the messages. The first has a checksum, the others have none, and
// are never believed.
var indices = []string{indexFile, "thw.db", "sched.db"}

const indexFile = "index.db"

func (m *mender) index(s *stream, changed bool) error {
	path := filepath.Join(s.dir, messagesDir, indexFile)
	if s.badIndex {
		m.tell(Damage{Stream: s.name, File: path, What: "an index is damaged, and is made again", Mild: true})
	}
	for i, name := range indices {
		if i == 0 && !changed && !s.badIndex {
			continue
		}
		if err := remove(filepath.Join(s.dir, messagesDir, name)); err != nil {
			return err
		}
	}
	return nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
