package client

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

const (
	// waitTogether is how many tasks one call waits for, unless the server takes fewer.
	waitTogether = 1000
	// waitRound is how long one call waits. A server allows a minute.
	waitRound = 30 * time.Second
)

// Wait calls done with each of the tasks once it has its result, and at once with those that are unknown
// (Unknown tells). It returns when all have been there, when ctx ends, with its error, or when the
// server has been away for longer than limit. An error of done ends it too.
func (c *Client) Wait(ctx context.Context, ids []string, limit time.Duration, done func(*broodv1.Task) error) error {
	if !c.reached.Load() && len(ids) > 0 {
		// A stream says nothing until there is a result: is anybody there at all?
		_, err := c.Tasks.Get(ctx, &broodv1.GetRequest{Id: ids[0]})
		if err := c.Explain(err); err != nil && !c.reached.Load() {
			return err
		}
	}
	for len(ids) > 0 {
		n := min(len(ids), int(c.together.Load()))
		err := c.waitTogether(ctx, ids[:n], limit, done)
		if tooMany(err) && n > 1 {
			c.together.Store(int64(n / 2))
			continue
		}
		if err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

func (c *Client) waitTogether(ctx context.Context, ids []string, limit time.Duration, done func(*broodv1.Task) error) error {
	open := make(map[string]bool, len(ids))
	for _, id := range ids {
		open[id] = true
	}
	p := patience{limit: limit}
	for len(open) > 0 {
		progress, began := false, time.Now()
		err := c.round(ctx, open, func(t *broodv1.Task) error {
			p.success()
			progress = true
			return done(t)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && !progress && time.Since(began) < waitRound/2 {
			// A server that will not wait must not be asked without end.
			err = &Failure{Reason: Busy, Text: "the server did not wait"}
		}
		if err != nil {
			if err := p.again(ctx, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// round is one call. It takes what is done out of open.
func (c *Client) round(ctx context.Context, open map[string]bool, done func(*broodv1.Task) error) error {
	request := &broodv1.WaitManyRequest{Timeout: durationpb.New(waitRound), Ids: make([]string, 0, len(open))}
	for id := range open {
		request.Ids = append(request.Ids, id)
	}
	stream, err := c.Tasks.WaitMany(ctx, request)
	if err != nil {
		return c.Explain(err)
	}
	defer stream.Close()
	for stream.Receive() {
		t := stream.Msg().GetTask()
		if !open[t.GetId()] || !Final(t.GetState()) && !Unknown(t) {
			continue
		}
		delete(open, t.GetId())
		if err := done(t); err != nil {
			return err
		}
	}
	return c.Explain(stream.Err())
}
