package jetstream

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// unread gives back messages that were not handed out, each for a while, which their states tell. What cannot be given
// back comes again when its lease lapses.
func (b *Broker) unread(ctx context.Context, claims []*claim, delay func(*claim) time.Duration) {
	// One whose lease has lapsed may be somebody else's, who would lose it.
	claims = slices.DeleteFunc(claims, (*claim).lapsed)
	var back []outgoing
	for _, c := range b.tellUnread(ctx, claims) {
		nak := outgoing{subject: c.reply, data: ackNak}
		if d := delay(c); d > 0 {
			nak.data = nakFor(d)
			b.markDelayed(c, d)
		}
		back = append(back, nak)
	}
	_ = b.publish(ctx, back) // the server answers when they are there, so that who leases next gets them in their places
}

// tellUnread stores that claims were not handed out, and returns those of which it could.
func (b *Broker) tellUnread(ctx context.Context, claims []*claim) (told []*claim) {
	for try := range 2 {
		states, err := b.statesOf(ctx, claims, try > 0)
		if err != nil {
			return told
		}
		out := make([]outgoing, len(claims))
		for i, c := range claims {
			if out[i], err = b.unseenOnce(c, states[c.lease.Task.ID]); err != nil {
				return told
			}
		}
		var again []*claim // there was a state where none was to be expected: of an earlier life of the task
		errs := b.publish(ctx, out)
		for i, c := range claims {
			switch {
			case errs == nil || errs[i] == nil:
				told = append(told, c)
			case errors.Is(errs[i], errExists):
				again = append(again, c)
			}
		}
		claims = again
	}
	return told
}

// statesOf reads the states of tasks, of those that had none when they were delivered only if all are asked for.
func (b *Broker) statesOf(ctx context.Context, claims []*claim, all bool) (map[string]*storepb.State, error) {
	byToken := map[string]*claim{}
	var subjects []string
	for _, c := range claims {
		if all || c.delivery > 1 {
			byToken[token(c.lease.Task.ID)] = c
			subjects = append(subjects, b.names.state(c.pool.name, c.lease.Task.ID))
			c.state = 0
		}
	}
	states := map[string]*storepb.State{}
	var damaged error
	err := b.lasts(ctx, b.names.stream("s"), subjects, func(s stored) {
		c := byToken[lastToken(s.subject)]
		if c.state = s.seq; len(s.data) == 0 {
			return
		}
		state, err := readState(s.data)
		states[c.lease.Task.ID], damaged = state, errors.Join(damaged, err)
	})
	return states, errors.Join(err, damaged)
}

// unseenOnce is a claim's state after one more delivery that nobody leased, given the one before, if any.
func (b *Broker) unseenOnce(c *claim, s *storepb.State) (outgoing, error) {
	if s == nil {
		s = &storepb.State{History: toHistory(c.submitted)} // an attempt that nobody wrote down is counted again next time
	}
	s.Unseen++
	if s.GetAuthor() == 0 { // else it is still that of whoever leased it, who may have more to say
		s.Author = c.write()
	}
	data, err := b.encodeState(c, s)
	return outgoing{
		subject: b.names.state(c.pool.name, c.lease.Task.ID), data: data,
		header: nats.Header{"Nats-Expected-Last-Subject-Sequence": []string{decimal(c.state)}},
	}, err
}
