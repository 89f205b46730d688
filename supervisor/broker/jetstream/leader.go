package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/brood-run/brood/supervisor/broker"
)

// A stream that is kept by several servers is read from any of them: the server hands a direct request to whichever is
// near, and that one may not have heard yet of what another has acknowledged. Nothing in the answer says so. What
// decides whether a task is taken or has ended is therefore asked of the stream's leader, which has all that was
// acknowledged: a new one does not call itself that before it has caught up. One that was deposed and does not know it
// yet may still answer for a while; it cannot store anything, though, nor can those who are cut off with it.

// mostAsked is how many requests are under way to a leader at once. A server drops all that wait when there are 10,000.
const mostAsked = 256

// fromLeader calls f with the last message of each of the subjects that has one, as the stream's leader knows it. It
// costs a request for each subject.
func (s *session) fromLeader(ctx context.Context, stream string, subjects []string, f func(stored)) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	for some := range slices.Chunk(subjects, mostAsked) {
		lookups := make([]lookup, len(some))
		for i, subject := range some {
			lookups[i] = lookup{LastFor: subject}
		}
		found, err := s.askAll(ctx, stream, lookups)
		if err != nil {
			return err
		}
		for _, s := range found {
			f(s)
		}
	}
	return nil
}

// askAll asks a stream's leader for up to mostAsked messages and returns those that are there, in any order.
func (s *session) askAll(ctx context.Context, stream string, lookups []lookup) (found []stored, err error) {
	err = s.insist(ctx, func(ctx context.Context) (err error) {
		found, err = s.askOnce(ctx, stream, lookups)
		return err
	})
	return found, err
}

func (s *session) askOnce(ctx context.Context, stream string, lookups []lookup) (found []stored, err error) {
	inbox := s.nc.NewInbox()
	answers := make(chan *nats.Msg, len(lookups))
	sub, err := s.nc.ChanSubscribe(inbox, answers)
	if err != nil {
		return nil, unavailable(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is closed
	for _, q := range lookups {
		body, err := json.Marshal(q)
		if err != nil {
			return nil, err
		}
		if err := s.nc.PublishRequest("$JS.API.STREAM.MSG.GET."+stream, inbox, body); err != nil {
			return nil, unavailable(err)
		}
	}
	for range lookups {
		select {
		case m := <-answers:
			one, err := fromAnswer(m)
			if err == nil {
				found = append(found, one)
			} else if !errors.Is(err, broker.ErrNotFound) {
				return nil, err
			}
		case <-ctx.Done():
			return nil, s.unanswered(ctx)
		}
	}
	return found, nil
}

// last returns the last message of a subject, as the stream's leader knows it. broker.ErrNotFound.
func (s *session) last(ctx context.Context, stream, subject string) (stored, error) {
	return s.ask(ctx, stream, lookup{LastFor: subject})
}

// after returns the first message of a subject from a sequence on, as the stream's leader knows it. broker.ErrNotFound.
func (s *session) after(ctx context.Context, stream string, seq uint64, subject string) (stored, error) {
	return s.ask(ctx, stream, lookup{Seq: seq, NextFor: subject})
}

// ask asks a stream's leader for one message. broker.ErrNotFound.
func (s *session) ask(ctx context.Context, stream string, q lookup) (stored, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	body, err := json.Marshal(q)
	if err != nil {
		return stored{}, err
	}
	var m *nats.Msg
	err = s.insist(ctx, func(ctx context.Context) (err error) {
		m, err = s.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+stream, body)
		return err
	})
	if err != nil {
		return stored{}, unavailable(err)
	}
	return fromAnswer(m)
}

// fromAnswer reads what a leader was asked for. broker.ErrNotFound.
func fromAnswer(m *nats.Msg) (stored, error) {
	if m.Header.Get("Status") == "503" {
		return stored{}, unavailable(nats.ErrNoResponders)
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Subject string `json:"subject"`
			Seq     uint64 `json:"seq"`
			Data    []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return stored{}, unavailable(err)
	}
	switch {
	case answer.Error == nil:
		return stored{subject: answer.Message.Subject, seq: answer.Message.Seq, data: answer.Message.Data}, nil
	case answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound, answer.Error.ErrorCode == jetstream.JSErrCodeStreamNotFound:
		return stored{}, broker.ErrNotFound
	}
	return stored{}, unavailable(answer.Error)
}
