package cli

import (
	"strings"
	"sync"
	"time"
)

// transcript collects what a process writes and lets tests wait for a text in it.
type transcript struct {
	mu    sync.Mutex
	text  strings.Builder
	grown chan struct{} // closed at the next write
}

func newTranscript() *transcript { return &transcript{grown: make(chan struct{})} }

func (tr *transcript) Write(p []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	close(tr.grown)
	tr.grown = make(chan struct{})
	return tr.text.Write(p)
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// awaits says whether text came within the deadline.
func (tr *transcript) awaits(text string, deadline time.Duration) bool {
	late := time.NewTimer(deadline)
	defer late.Stop()
	for {
		tr.mu.Lock()
		found, grown := strings.Contains(tr.text.String(), text), tr.grown
		tr.mu.Unlock()
		if found {
			return true
		}
		select {
		case <-grown:
		case <-late.C:
			return false
		}
	}
}
