package worker

import (
	"crypto/sha256"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/proc"
)

// Program is the file that a pool's workers are started from; they share it. It sees to it
// that no task is given to a process that was started from another file than the one that
// was looked at.
//
// A file is looked at, started, and looked at again. If it is not the same then, nobody knows
// which one runs, and the process is killed before it has heard a word. With a checksum
// the file is read in between, each time: what is remembered about a file says less than
// its content, since a page that is mapped for writing changes without a trace.
// Interpreters and shared libraries are not covered.
//
// The file of which a worker was ready last is kept open (see Pin).
type Program struct {
	path string
	sum  []byte // the SHA-256 it must have; nil if it may have any

	mu     sync.Mutex
	known  proc.Identity // of the file that was last started or refused; zero before that
	kept   *os.File      // of which a worker was ready last; nil before that, and where it cannot be kept
	ready  proc.Identity // of kept when it was opened
	unkept error         // why it could not be
	pinned bool
	closed bool
}

// NewProgram returns the Program at a path; Close it. sum is the SHA-256 that it must have, nil
// for any.
func NewProgram(path string, sum []byte) *Program { return &Program{path: path, sum: sum} }

// sighting is a look at a Program before it is started.
type sighting struct {
	*Program
	file  proc.Identity // zero if there was none: who tries to start it says why
	image *os.File      // set if it is the kept file and no longer the one at the path; Close it
}

// inspect looks at the file and checks its sum.
func (p *Program) inspect(c *Config) (sighting, error) {
	s, err := p.sight()
	if err != nil || p.sum == nil || s.file == (proc.Identity{}) {
		return s, err
	}
	hash := sha256.New()
	secure := plugin.SecureConfig{Checksum: p.sum, Hash: hash}
	match, err := secure.Check(s.location())
	if err == nil && match {
		return s, nil
	}
	s.close()
	if err != nil {
		return s, fmt.Errorf("%w %s: its checksum cannot be found out: %w", proc.ErrCannotStart, p.path, err)
	}
	s.notice(c, true)
	return s, fmt.Errorf("%w %s: its SHA-256 is %x, but sha256 demands %x", proc.ErrCannotStart, p.path, hash.Sum(nil), p.sum)
}

// sight finds the file that is to be started.
func (p *Program) sight() (sighting, error) {
	s := sighting{Program: p}
	s.file, _ = proc.Identify(p.path)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.pinned || s.file.SameContent(p.ready) {
		return s, nil
	}
	var err error
	s.file = p.ready
	s.image, err = proc.Duplicate(p.kept)
	return s, err
}

func (s sighting) location() string {
	if s.image != nil {
		return proc.HeldPath(s.image)
	}
	return s.path
}

func (s sighting) close() {
	if s.image != nil {
		_ = s.image.Close() // nothing was written to it
	}
}

// confirm says, once a process was started, whether it runs what was inspected.
func (s sighting) confirm(c *Config) error {
	if s.image != nil {
		if now, err := proc.IdentifyFile(s.image); err != nil || !now.SameContent(s.file) {
			return fmt.Errorf("the file that plugin %s was is kept open and was written to", s.path)
		}
		return nil
	}
	if now, err := proc.Identify(s.path); err != nil || now != s.file {
		return fmt.Errorf("plugin %s was replaced or written to while a worker was started from it; it is tried again", s.path)
	}
	s.notice(c, false)
	return nil
}

// notice tells the world that the file is not the one before, once. One whose sum is right is
// the same, whatever it looks like.
func (s sighting) notice(c *Config, refused bool) {
	s.mu.Lock()
	old := s.known
	s.known = s.file
	s.mu.Unlock()
	if old == (proc.Identity{}) || old == s.file || s.sum != nil && !refused {
		return
	}
	e := event.PluginChanged{
		Time: time.Now(), Pool: c.Pool, Plugin: s.path,
		Old: event.File(old), New: event.File(s.file), Refused: refused,
	}
	c.Events.Publish(e)
	c.Logger.Warn(e.String(), "event", e.Kind())
}
