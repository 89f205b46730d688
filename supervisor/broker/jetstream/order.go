package jetstream

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// best takes up to n messages of what is there, the smallest key first. Those that find no room under
// their concurrency keys are parked. Requires mu.
func (p *pool) best(n int) []*claim {
	claims := make([]*claim, 0, min(n, p.buffered()+len(p.parked)))
	parked := p.parked
	p.parked = p.parked[:0:0]
	room := mostAhead
	for _, c := range parked {
		room -= len(c.data)
	}
	for len(claims) < n {
		before := len(parked)
		c := p.first(&parked)
		if c == nil {
			break
		}
		if len(parked) < before {
			room += len(c.data)
		}
		switch {
		case c.lapsed():
			p.unheld[c.seq]++
		case p.b.gate.enter(c):
			claims = append(claims, c)
		case len(p.parked)+len(parked) < mostParked && room >= len(c.data):
			p.parked = append(p.parked, c)
			room -= len(c.data)
		default:
			p.refused = append(p.refused, c)
		}
	}
	p.parked = append(p.parked, parked...)
	p.b.gate.parks(p, len(p.parked) > 0)
	return claims
}

// first takes the message with the smallest key of all levels and of those that are parked.
func (p *pool) first(parked *[]*claim) *claim {
	var first *puller
	for _, q := range p.levels {
		if c := q.head(); c != nil && (first == nil || c.key < first.head().key) {
			first = q
		}
	}
	if len(*parked) > 0 && (first == nil || (*parked)[0].key <= first.head().key) {
		c := (*parked)[0]
		*parked = (*parked)[1:]
		return c
	}
	if first == nil {
		return nil
	}
	return first.pop()
}

// buffered is how many messages are there. Requires mu.
func (p *pool) buffered() (n int) {
	for _, q := range p.levels {
		n += len(q.buffer)
	}
	return n
}

// ahead is what was delivered and not handed out. Requires mu.
func (p *pool) ahead() []*arrival {
	var all []*arrival
	for _, q := range p.levels {
		all = append(all, q.buffer...)
	}
	for _, c := range p.parked {
		all = append(all, c.arrival)
	}
	return all
}

// unget puts claims back that could not be looked into: they are handed out later, or given back by keep.
func (p *pool) unget(claims []*claim) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(claims) - 1; i >= 0; i-- {
		a := claims[i].arrival
		q := p.levels[a.level]
		q.buffer = slices.Insert(q.buffer, 0, a)
		p.b.gate.leave(&claims[i].lease.Message)
	}
}

// What was sent when its task was ended may take that long to arrive, and of so many tasks it is known.
const (
	overTime = 30 * time.Second
	mostOver = 10_000
)

// discard forgets what was read ahead of a task that has its result, and has what is on its way here looked into.
func (p *pool) discard(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.over) >= mostOver {
		maps.DeleteFunc(p.over, func(_ string, at time.Time) bool { return time.Since(at) > overTime })
	}
	if len(p.over) < mostOver {
		p.over[id] = time.Now()
	}
	for _, q := range p.levels {
		q.buffer = slices.DeleteFunc(q.buffer, func(a *arrival) bool {
			c, err := a.open(p)
			return err == nil && c.lease.Task.ID == id
		})
	}
	p.parked = slices.DeleteFunc(p.parked, func(c *claim) bool { return c.lease.Task.ID == id })
}

// park keeps a claim until there is room under its concurrency key.
func (p *pool) park(c *claim) {
	p.b.gate.leave(&c.lease.Message)
	p.mu.Lock()
	defer p.mu.Unlock()
	i, _ := slices.BinarySearchFunc(p.parked, c.key, func(x *claim, key int64) int { return cmp.Compare(x.key, key) })
	p.parked = slices.Insert(p.parked, i, c)
	p.b.gate.parks(p, true)
}
