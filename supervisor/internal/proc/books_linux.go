package proc

import "maps"

// remember makes the spawner keep the groups of reaped processes: what is still in
// one of them was started by that process.
func (s *Spawner) remember() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = map[int]string{}
	}
}

// forget drops the groups of trees that have been swept.
func (s *Spawner) forget(swept func(tree string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.ended, func(_ int, tree string) bool { return swept(tree) })
}

// census is what the spawners know about processes and groups at one moment.
type census struct {
	live  map[int]bool   // processes not reaped yet; each leads the group of its number
	ended map[int]string // trees by group
}

// alive lists the processes that need no look.
func (r *Reaper) alive() map[int]bool {
	books, release := r.hold()
	release()
	return books.live
}

// hold stops the spawners from forking and from changing their books until
// release is called, and says what the books say.
func (r *Reaper) hold() (c census, release func()) {
	c = census{live: map[int]bool{}, ended: map[int]string{}}
	for _, s := range r.books {
		s.mu.Lock()
		for pid := range s.live {
			c.live[pid] = true
		}
		maps.Copy(c.ended, s.ended)
	}
	return c, func() {
		for _, s := range r.books {
			s.mu.Unlock()
		}
	}
}
