package jetstream

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// dueConsumer is the consumer of what has come due.
func (s *session) dueConsumer() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: timesConsumer, FilterSubject: s.names.subject("t", due, ">"), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: s.cfg.LeaseTime, MaxAckPending: mostPending, MaxDeliver: -1,
	}
}

// keepTime handles what comes due, until the broker is closed. All brokers on a server share the work.
func (b *Broker) keepTime(ctx context.Context) error {
	r, err := b.readDue(ctx)
	if err != nil {
		return err
	}
	b.work.Go(func() {
		for r != nil {
			select {
			case <-b.ctx.Done():
				r.stop()
				return
			case m := <-r.arrived:
				b.dueNow(gatherDue(m, r.arrived))
			case err := <-r.lost:
				r.stop()
				b.cfg.Logger.Warn("what comes due is not read for a moment", "error", err)
				r = b.readDueAgain()
			}
		}
	})
	return nil
}

// dueReader reads what comes due.
type dueReader struct {
	arrived chan jetstream.Msg
	lost    chan error // why there is nobody to read from any more, if it has room
	reading jetstream.ConsumeContext
	cancel  context.CancelFunc
}

// readDue begins to read what comes due. The consumer is made if it is not there.
func (b *Broker) readDue(ctx context.Context) (*dueReader, error) {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	c, err := b.js.CreateOrUpdateConsumer(ctx, b.names.stream("t"), b.dueConsumer())
	if err != nil {
		return nil, unavailable(err)
	}
	r := &dueReader{arrived: make(chan jetstream.Msg, timesBatch), lost: make(chan error, 1)}
	wanted, stop := context.WithCancel(b.ctx)
	r.cancel = stop
	r.reading, err = c.Consume(func(m jetstream.Msg) {
		select {
		case r.arrived <- m:
		case <-wanted.Done(): // it comes again
		}
	}, jetstream.PullMaxMessages(timesBatch), jetstream.PullHeartbeat(ringBeat), jetstream.ConsumeErrHandler(r.failed))
	if err != nil {
		stop()
		return nil, unavailable(err)
	}
	return r, nil
}

// failed hears what goes wrong. Whatever else it is, nats.go asks again.
func (r *dueReader) failed(_ jetstream.ConsumeContext, err error) {
	for _, gone := range []error{jetstream.ErrConsumerDeleted, jetstream.ErrBadRequest, nats.ErrNoResponders} {
		if errors.Is(err, gone) {
			select {
			case r.lost <- err:
			default: // it is known
			}
		}
	}
}

// stop ends reading. What has been read and not handled comes again.
func (r *dueReader) stop() {
	r.cancel()
	r.reading.Stop()
	<-r.reading.Closed()
}

// readDueAgain begins to read after the consumer was lost, as soon as that is possible, and makes what is gone. It is nil
// when the broker was closed first.
func (b *Broker) readDueAgain() *dueReader {
	for {
		select {
		case <-b.ctx.Done():
			return nil
		case <-time.After(leasePause):
		}
		r, err := b.readDue(b.ctx)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			ctx, cancel := b.bound(b.ctx)
			if err = b.makeStreams(ctx); err == nil {
				r, err = b.readDue(ctx)
			}
			cancel()
		}
		if err == nil {
			return r
		}
	}
}

// gatherDue adds to a message what has come with it.
func gatherDue(first jetstream.Msg, more <-chan jetstream.Msg) []jetstream.Msg {
	batch := []jetstream.Msg{first}
	for len(batch) < timesBatch {
		select {
		case m := <-more:
			batch = append(batch, m)
		default:
			return batch
		}
	}
	return batch
}
