package peer

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
)

var errWrong = errors.New("go-plugin: another answer than the payload")

func unary(ctx context.Context, c *grpc.ClientConn, payload []byte) error {
	reply := new(message)
	if err := c.Invoke(ctx, unaryMethod, &message{Value: payload}, reply); err != nil {
		return err
	}
	if !bytes.Equal(reply.Value, payload) {
		return errWrong
	}
	return nil
}

// transport sends a payload and waits for its answer.
type transport func(payload []byte) error

// transports are the two ways to call the first child.
func (g *GoPlugin) transports(ctx context.Context) (one, many transport, err error) {
	s, err := open(ctx, g.conns[0])
	if err != nil {
		return nil, nil, err
	}
	one = func(payload []byte) error { return unary(ctx, g.conns[0], payload) }
	many = func(payload []byte) error {
		if err := s.SendMsg(&message{Value: payload}); err != nil {
			return err
		}
		return receive(s, payload)
	}
	return one, many, nil
}

func open(ctx context.Context, c *grpc.ClientConn) (grpc.ClientStream, error) {
	return c.NewStream(ctx, &service.Streams[0], streamMethod)
}

func receive(s grpc.ClientStream, payload []byte) error {
	reply := new(message)
	if err := s.RecvMsg(reply); err != nil {
		return err
	}
	if !bytes.Equal(reply.Value, payload) {
		return errWrong
	}
	return nil
}

// Alone sends one payload at a time for d, by unary calls and then over a stream, and
// returns how long each took.
func (g *GoPlugin) Alone(ctx context.Context, payload []byte, d time.Duration) (byUnary, byStream []time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	one, many, err := g.transports(ctx)
	if err != nil {
		return nil, nil, err
	}
	if byUnary, err = timed(one, payload, d); err != nil {
		return nil, nil, err
	}
	byStream, err = timed(many, payload, d)
	return byUnary, byStream, err
}

func timed(send transport, payload []byte, d time.Duration) ([]time.Duration, error) {
	var took []time.Duration
	began := time.Now()
	from, to := began.Add(d/4), began.Add(d/4+d)
	for {
		if err := send(payload); err != nil {
			return nil, err
		}
		now := time.Now()
		if now.After(from) {
			took = append(took, now.Sub(began))
		}
		if began = now; now.After(to) {
			return took, nil
		}
	}
}

// Stream keeps inFlight payloads on their way, over one stream for each child, for d,
// and returns how many came back each second.
func (g *GoPlugin) Stream(ctx context.Context, payload []byte, inFlight int, d time.Duration) (float64, error) {
	return g.each(ctx, d, func(ctx context.Context, c *grpc.ClientConn, count func() bool) error {
		return pump(ctx, c, payload, max(1, inFlight/len(g.conns)), count)
	})
}

// Unary is Stream by unary calls, each in flight from its own goroutine.
func (g *GoPlugin) Unary(ctx context.Context, payload []byte, inFlight int, d time.Duration) (float64, error) {
	return g.each(ctx, d, func(ctx context.Context, c *grpc.ClientConn, count func() bool) error {
		var group sync.WaitGroup
		errs := make([]error, max(1, inFlight/len(g.conns)))
		for i := range errs {
			group.Go(func() {
				for errs[i] == nil && count() {
					errs[i] = unary(ctx, c, payload)
				}
			})
		}
		group.Wait()
		return errors.Join(errs...)
	})
}

// each runs work with each child at once. Work calls count before each payload and
// ends when that says no.
func (g *GoPlugin) each(ctx context.Context, d time.Duration, work func(context.Context, *grpc.ClientConn, func() bool) error) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var n atomic.Int64
	from := time.Now().Add(d / 4)
	to := from.Add(d)
	count := func() bool {
		now := time.Now()
		if now.After(from) && now.Before(to) {
			n.Add(1)
		}
		return now.Before(to)
	}
	errs := make([]error, len(g.conns))
	var group sync.WaitGroup
	for i, c := range g.conns {
		group.Go(func() { errs[i] = work(ctx, c, count) })
	}
	group.Wait()
	return float64(n.Load()) / d.Seconds(), errors.Join(errs...)
}

// pump keeps window payloads in one stream.
func pump(ctx context.Context, c *grpc.ClientConn, payload []byte, window int, count func() bool) error {
	s, err := open(ctx, c)
	if err != nil {
		return err
	}
	credit := make(chan struct{}, window)
	for range window {
		credit <- struct{}{}
	}
	var sender sync.WaitGroup
	var sent error
	sender.Go(func() {
		for range credit {
			if sent = s.SendMsg(&message{Value: payload}); sent != nil {
				return // the receiver sees the broken stream too
			}
		}
		sent = s.CloseSend()
	})
	inFlight, more := window, true
	for inFlight > 0 && err == nil {
		if err = receive(s, payload); err != nil {
			break
		}
		if more = more && count(); more {
			credit <- struct{}{}
		} else {
			inFlight--
		}
	}
	close(credit)
	sender.Wait()
	return errors.Join(err, sent)
}
