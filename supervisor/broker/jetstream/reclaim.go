package jetstream

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// reclaimBatch bounds what is read at once to find out what was leased.
const reclaimBatch = 1000

// mostGone bounds how far apart the oldest and the newest lease may be for settleGone.
const mostGone = 100_000

// reclaim makes everything that is leased from an embedded server available at once: nobody can hold it
// but the process that had the data directory before.
func (p *pool) reclaim(ctx context.Context) error {
	s, err := p.b.js.Stream(ctx, p.stream)
	if err != nil {
		return unavailable(err)
	}
	last := s.CachedInfo().State.LastSeq
	p.mu.Lock()
	levels := make([]int, 0, len(p.levels))
	for l := range p.levels {
		levels = append(levels, l)
	}
	if p.b.engine.unsureOfPools() {
		p.doubt = last
	}
	p.mu.Unlock()
	for _, l := range levels {
		mark, err := p.b.mark(ctx, p.name, l)
		if err != nil {
			return err
		}
		mark = min(mark, last) // what was leased last may have been lost in a power cut, and its sequence be used again
		p.mu.Lock()
		// What comes again is older than the mark, which must not go back for that: the next process would
		// take what this one has not leased yet for new.
		p.marks[l], p.levels[l].marked = mark, mark
		p.mu.Unlock()
		if err := p.reclaimLevel(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

func (p *pool) reclaimLevel(ctx context.Context, l int) error {
	ctx, cancel := p.b.bound(ctx)
	defer cancel()
	c, err := p.b.js.Consumer(ctx, p.stream, levelToken(l))
	if err != nil {
		return unavailable(err)
	}
	info := c.CachedInfo()
	if info.NumAckPending == 0 {
		return nil
	}
	leased := map[uint64]bool{}
	// Of what was delivered only what is still leased is in the stream.
	for seq := info.AckFloor.Stream + 1; seq <= info.Delivered.Stream; {
		before := seq
		_, err := p.b.get(ctx, p.stream, lookup{Seq: seq, NextFor: p.prefix(l) + "*", Batch: reclaimBatch}, func(m stored) {
			leased[m.seq], seq = true, m.seq+1
			if m.seq <= info.Delivered.Stream {
				_ = p.b.nc.Publish(acknowledgement(info, m.seq), ackNak) // it waits for its lease to lapse if this is lost
			}
		})
		if err != nil {
			return err
		}
		if seq == before {
			break
		}
	}
	p.settleGone(info, leased)
	return nil
}

// settleGone acknowledges what the server takes for leased and has removed already: it writes down what it
// has delivered a moment later than what it has removed. Left alone, that would be counted until leases lapse.
func (p *pool) settleGone(info *jetstream.ConsumerInfo, leased map[uint64]bool) {
	if info.NumAckPending <= len(leased) || info.Delivered.Stream-info.AckFloor.Stream > mostGone {
		return
	}
	for seq := info.AckFloor.Stream + 1; seq <= info.Delivered.Stream; seq++ {
		if !leased[seq] {
			_ = p.b.nc.Publish(acknowledgement(info, seq), nil) // its lease lapses if this is lost
		}
	}
}

// acknowledgement is where a message of a consumer is acknowledged; see arrived.
func acknowledgement(info *jetstream.ConsumerInfo, seq uint64) string {
	return fmt.Sprintf("$JS.ACK.%s.%s.1.%d.%d.0.0", info.Stream, info.Name, seq, info.Delivered.Consumer)
}

// A mark is how far a level has been leased. The server writes what it has delivered only ten times a
// second; a mark is stored before a task is handed out, so that no start is forgotten by a process that is killed.

// mark reads a mark, 0 if there is none.
func (b *Broker) mark(ctx context.Context, pool string, l int) (uint64, error) {
	var mark uint64
	err := b.lasts(ctx, b.names.stream("p"), []string{b.markSubject(pool, l)}, func(s stored) {
		if len(s.data) == 8 {
			mark = binary.BigEndian.Uint64(s.data)
		}
	})
	return mark, err
}

func (b *Broker) markSubject(pool string, l int) string {
	return b.names.subject("p", "mark", token(pool), levelToken(l))
}

// recall lets go of what was read ahead from a server that was replaced: the next one may not know what was delivered last,
// and delivers it again. What was leased before is looked into when it comes again. Requires mu.
func (p *pool) recall() {
	if p.b.engine == nil {
		return
	}
	n := p.b.engine.replaced.Load()
	if n == p.servers {
		return
	}
	p.servers = n
	for l, q := range p.levels {
		p.marks[l] = max(p.marks[l], q.marked)
	}
	p.letGo(func(a *arrival) bool {
		_ = p.b.nc.Publish(a.reply, ackNak) // it comes again when its lease lapses if this is lost
		return true
	})
}

// mark stores how far the claims go, and finds out which of them were delivered to a process before
// this one.
func (p *pool) mark(ctx context.Context, claims []*claim) error {
	if p.b.engine == nil {
		return p.suspect(ctx, claims)
	}
	highest := map[int]uint64{}
	for _, c := range claims {
		highest[c.level] = max(highest[c.level], c.seq)
	}
	var out []outgoing
	p.mu.Lock()
	p.recall()
	for l, seq := range highest {
		if seq > p.levels[l].marked {
			out = append(out, outgoing{subject: p.b.markSubject(p.name, l), data: binary.BigEndian.AppendUint64(nil, seq)})
		}
	}
	p.mu.Unlock()
	if errs := p.b.publish(ctx, out); errs != nil {
		return errs[0]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for l, seq := range highest {
		p.levels[l].marked = max(p.levels[l].marked, seq)
	}
	for _, c := range claims {
		if c.lease.Delivery == 1 && c.unseen == 0 && p.unheld[c.seq] == 0 && c.seq <= p.marks[c.level] {
			c.lease.Delivery = 2
		}
		c.doubtful = c.lease.Delivery == 1 && c.seq <= p.doubt
	}
	return nil
}
