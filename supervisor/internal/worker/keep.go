package worker

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/brood-run/brood/supervisor/internal/proc"
)

// keep holds on to the file of a worker that became ready, so that others can be started from
// it whatever becomes of its path.
func (s sighting) keep() {
	p := s.Program
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.pinned || s.image != nil || p.kept != nil && p.ready == s.file {
		return
	}
	f, err := proc.Hold(p.path)
	if err != nil {
		p.unkept = err // Pin tells
		return
	}
	if now, err := proc.IdentifyFile(f); err != nil || now != s.file {
		_ = f.Close() // it was replaced at this moment
		return
	}
	p.letGo()
	p.kept, p.ready = f, s.file
}

// letGo is called with mu held.
func (p *Program) letGo() {
	if p.kept != nil {
		_ = p.kept.Close() // nothing was written to it
		p.kept = nil
	}
}

// errNeverReady: there is no file to go back to.
var errNeverReady = errors.New("no worker was ever ready from an earlier file")

// Pin has all further workers started from the file of which one was ready last, even if there is
// another at its path by now. The error says why that is not possible; then
// they are started from what is at the path, as before.
func (p *Program) Pin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pinned {
		return nil
	}
	if p.kept == nil {
		return cmp.Or(p.unkept, errNeverReady)
	}
	now, err := proc.IdentifyFile(p.kept)
	if err != nil {
		return err
	}
	if !now.SameContent(p.ready) {
		return fmt.Errorf("%s was written over in place, and what it held is gone", p.path)
	}
	p.pinned = true
	return nil
}

// Current says that the file at the path is the one that the last worker was started from.
func (p *Program) Current() bool {
	now, err := proc.Identify(p.path)
	p.mu.Lock()
	defer p.mu.Unlock()
	return err == nil && now == p.known && !p.pinned
}

// Close lets go of the file that is kept. Workers may still be started from what is at the path.
func (p *Program) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.letGo()
	p.closed, p.pinned = true, false
}
