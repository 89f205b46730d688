package httpapi

import (
	"context"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
)

// deadLetters is the DeadLetterService.
type deadLetters struct{ *API }

var _ broodv1.DeadLetterServiceHandler = deadLetters{}

// Sizes of a page of dead letters.
const (
	page      = 100
	maxPage   = 1000
	pageBytes = 16 << 20 // without payloads; one that has as many is the last
)

// List implements broodv1.DeadLetterServiceHandler.
func (d deadLetters) List(ctx context.Context, r *broodv1.ListDeadLettersRequest) (*broodv1.ListDeadLettersResponse, error) {
	n := int(r.GetPageSize())
	switch {
	case n < 0 || n > maxPage:
		return nil, invalid("page_size", "%d is not within 1 to %d", n, maxPage)
	case n == 0:
		n = page
	}
	out := &broodv1.ListDeadLettersResponse{}
	list := d.list(r.GetPool(), r.GetPageToken())
	for left := pageBytes; n > len(out.GetDeadLetters()) && left > 0 && !list.ended; {
		letters, err := list.more(ctx, n-len(out.GetDeadLetters()))
		if err != nil {
			if r.GetPageToken() != "" && explain(err).code == connect.CodeInternal {
				return nil, invalid("page_token", "%s", text(err.Error()))
			}
			return nil, answer(err)
		}
		for i := range letters {
			l := letterOf(&letters[i], asJSON(ctx))
			left -= proto.Size(l)
			out.DeadLetters = append(out.DeadLetters, l)
		}
	}
	out.NextPageToken = list.after
	return out, nil
}

// Get implements broodv1.DeadLetterServiceHandler.
func (d deadLetters) Get(ctx context.Context, r *broodv1.GetDeadLetterRequest) (*broodv1.GetDeadLetterResponse, error) {
	if err := given("id", r.GetId()); err != nil {
		return nil, err
	}
	letter, err := d.cfg.Broker.DeadLetter(ctx, r.GetId())
	if err != nil {
		return nil, about(r.GetId(), err)
	}
	out := letterOf(&letter, asJSON(ctx))
	addPayload(out, letter.Message.Task.Payload, asJSON(ctx))
	return &broodv1.GetDeadLetterResponse{DeadLetter: out}, nil
}

// letterOf is a letter without its payload.
func letterOf(l *broker.DeadLetter, asJSON bool) *broodv1.DeadLetter {
	record := broker.Record{Message: l.Message, Result: &l.Result}
	return &broodv1.DeadLetter{Task: taskOf(record, asJSON), DiedAt: timestamp(l.Died)}
}

func addPayload(l *broodv1.DeadLetter, payload []byte, asJSON bool) {
	if asJSON {
		if v, err := parseValue(payload); err == nil {
			l.Input = &broodv1.DeadLetter_Payload{Payload: v}
			return
		}
	}
	l.Input = &broodv1.DeadLetter_PayloadBytes{PayloadBytes: payload}
}

// Retry implements broodv1.DeadLetterServiceHandler.
func (d deadLetters) Retry(ctx context.Context, r *broodv1.RetryDeadLettersRequest) (*broodv1.RetryDeadLettersResponse, error) {
	n, errs, err := d.each(ctx, r, d.cfg.Broker.Revive)
	return &broodv1.RetryDeadLettersResponse{Retried: n, Errors: errs}, err
}

// Purge implements broodv1.DeadLetterServiceHandler.
func (d deadLetters) Purge(ctx context.Context, r *broodv1.PurgeDeadLettersRequest) (*broodv1.PurgeDeadLettersResponse, error) {
	n, errs, err := d.each(ctx, r, d.cfg.Broker.Bury)
	return &broodv1.PurgeDeadLettersResponse{Purged: n, Errors: errs}, err
}
