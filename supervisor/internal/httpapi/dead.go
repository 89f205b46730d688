package httpapi

import (
	"context"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
)

// deadLetters is the DeadLetterService.
type deadLetters struct{ *API }

var _ broodv1.DeadLetterServiceHandler = deadLetters{}

// Sizes of a page of dead letters.
const (
	page    = 100
	maxPage = 1000
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
	letters, next, err := d.cfg.Broker.Dead(ctx, r.GetPool(), r.GetPageToken(), n)
	if err != nil {
		if r.GetPageToken() != "" && explain(err).code == connect.CodeInternal {
			return nil, invalid("page_token", "%s", text(err.Error()))
		}
		return nil, answer(err)
	}
	out := &broodv1.ListDeadLettersResponse{NextPageToken: next}
	for i := range letters {
		out.DeadLetters = append(out.DeadLetters, letterOf(&letters[i], asJSON(ctx)))
	}
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
