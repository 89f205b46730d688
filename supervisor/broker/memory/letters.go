package memory

import (
	"slices"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// letters are the dead ones, by age and by id.
type letters struct {
	byID   map[string]*letter
	byAge  []*letter // the oldest first, with some that are gone
	gone   int       // of byAge
	serial uint64
}

// letter is one of them. Its serial, which grows with every one, is its place in a listing.
type letter struct {
	broker.DeadLetter
	serial uint64
	pool   *pool
	gone   bool
}

// add writes a letter for an item that has its result, in place of an older one.
func (ls *letters) add(it *item, limit int) {
	ls.remove(it.msg.Task.ID)
	ls.serial++
	l := &letter{
		DeadLetter: broker.DeadLetter{Message: it.msg, Result: *it.result, Died: time.Now()},
		serial:     ls.serial, pool: it.pool,
	}
	ls.byID[it.msg.Task.ID] = l
	ls.byAge = append(ls.byAge, l)
	l.pool.dead++
	if len(ls.byID) > limit {
		ls.remove(ls.byAge[0].Message.Task.ID) // it is not gone: remove sees to that
	}
}

// remove takes a letter away, if there is one.
func (ls *letters) remove(id string) {
	l := ls.byID[id]
	if l == nil {
		return
	}
	delete(ls.byID, id)
	l.pool.dead--
	l.gone, l.DeadLetter = true, broker.DeadLetter{}
	ls.gone++
	for len(ls.byAge) > 0 && ls.byAge[0].gone {
		ls.byAge[0] = nil
		ls.byAge = ls.byAge[1:]
		ls.gone--
	}
	if ls.gone > len(ls.byAge)/2 {
		ls.byAge = slices.DeleteFunc(ls.byAge, func(l *letter) bool { return l.gone })
		ls.gone = 0
	}
}

// list returns up to n letters of a pool (nil is all) with serials above after, and the last
// serial if there are more.
func (ls *letters) list(p *pool, after uint64, n int) (page []broker.DeadLetter, next uint64) {
	at, _ := slices.BinarySearchFunc(ls.byAge, after+1, func(l *letter, serial uint64) int {
		if l.serial < serial {
			return -1
		}
		return int(min(l.serial-serial, 1))
	})
	var last uint64
	for _, l := range ls.byAge[at:] {
		if l.gone || p != nil && l.pool != p {
			continue
		}
		if len(page) == n {
			return page, last
		}
		page = append(page, l.DeadLetter)
		last = l.serial
	}
	return page, 0
}
