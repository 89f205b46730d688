package jetstream

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
	"github.com/brood-run/brood/supervisor/task"
)

// conclude finishes what whoever stored the result of a task did not come to: the letter, and taking
// the task out of its queue, where it stays if there is an error.
func (b *Broker) conclude(ctx context.Context, c *claim, data []byte) error {
	_, r, err := readResult(data)
	if err == nil && dies(&r) {
		err = b.ensureLetter(ctx, c, &r)
	}
	if err != nil {
		return err
	}
	_ = b.nc.Publish(c.reply, nil) // it comes here again if this is lost
	b.freeUnique(ctx, &c.lease.Message)
	b.forget(c.pool.name, c.lease.Task.ID)
	b.waiters.tell(c.lease.Task.ID, &r)
	return nil
}

func (b *Broker) ensureLetter(ctx context.Context, c *claim, r *task.Result) error {
	m, err := b.letter(&c.lease.Message, r)
	if err != nil {
		return err
	}
	if errs := b.publish(ctx, []outgoing{m}); errs != nil {
		return errs[0]
	}
	return nil
}

func readResult(data []byte) (broker.Message, task.Result, error) {
	var s storepb.Result
	var m broker.Message
	if err := proto.Unmarshal(data, &s); err != nil {
		return m, task.Result{}, err
	}
	r := fromResult(&s, &m)
	return m, r, nil
}
