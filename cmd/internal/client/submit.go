package client

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// Submitter sends tasks in batches and repeats what may have been lost. All its tasks have ids, so that
// one that did arrive is not stored twice. Not safe for concurrent use.
type Submitter struct {
	client   *Client
	patience patience
	most     int // tasks that the server takes in one call, as far as it has said; 0: it has not
	bytes    int // the same of their size
}

// Submitter returns one that goes on for limit while the server is away or full.
func (c *Client) Submitter(limit time.Duration) *Submitter {
	return &Submitter{client: c, patience: patience{limit: limit}}
}

// Submit stores tasks and returns an answer for each, in their order. An answer is nil if it is not known
// whether its task was stored, or if it was not for want of room; then there is an error.
func (s *Submitter) Submit(ctx context.Context, tasks []*broodv1.SubmitRequest) ([]*broodv1.SubmitResponse, error) {
	answers := make([]*broodv1.SubmitResponse, len(tasks))
	open := make([]int, len(tasks)) // places of the tasks without an answer
	for i := range open {
		open[i] = i
	}
	resent := false // an earlier call may have stored them
	for len(open) > 0 {
		head := s.head(tasks, open)
		batch := pick(tasks, head)
		response, err := s.client.Tasks.SubmitBatch(ctx, batch)
		var problem error
		if err != nil {
			problem = s.client.Explain(err)
		} else {
			left, unsure, full := settle(answers, head, response.GetResults(), resent)
			resent = resent || unsure
			if len(left) < len(head) {
				s.patience.success()
			}
			open, problem = append(left, open[len(head):]...), full
		}
		if problem == nil {
			continue
		}
		if tooMany(problem) && len(head) > 1 {
			s.shrink(problem, batch)
			continue
		}
		if reason(problem) == TooLarge { // one task alone: it is refused as if it had been looked at
			answers[head[0]] = &broodv1.SubmitResponse{
				Id: tasks[head[0]].GetId(), Error: &broodv1.Error{Kind: "invalid_argument", Message: problem.Error()},
			}
			open = open[1:]
			continue
		}
		if err := s.patience.again(ctx, problem); err != nil {
			return answers, err
		}
		resent = resent || err != nil
	}
	return answers, nil
}

// head is as many of the open tasks as fit in one call, one at least.
func (s *Submitter) head(tasks []*broodv1.SubmitRequest, open []int) []int {
	if s.most > 0 {
		open = open[:min(s.most, len(open))]
	}
	if s.bytes == 0 {
		return open
	}
	size := 0
	for i, place := range open {
		size += proto.Size(tasks[place])
		if size > s.bytes && i > 0 {
			return open[:i]
		}
	}
	return open
}

// shrink makes the calls to come smaller than a batch that was refused.
func (s *Submitter) shrink(problem error, batch *broodv1.SubmitBatchRequest) {
	if reason(problem) == TooLarge {
		s.bytes = proto.Size(batch) / 2 // one large task among small ones must not have all sent alone
		return
	}
	s.most = len(batch.GetTasks()) / 2
}

// tooMany says that a call may have been refused for how much was in it: half of it may be taken.
func tooMany(err error) bool {
	r := reason(err)
	return r == Invalid || r == TooLarge
}

// reason is why a call failed; Failed if nobody knows.
func reason(err error) Reason {
	var f *Failure
	if !errors.As(err, &f) {
		return Failed
	}
	return f.Reason
}

func pick(tasks []*broodv1.SubmitRequest, open []int) *broodv1.SubmitBatchRequest {
	batch := &broodv1.SubmitBatchRequest{Tasks: make([]*broodv1.SubmitRequest, len(open))}
	for i, place := range open {
		batch.Tasks[i] = tasks[place]
	}
	return batch
}

// settle puts answers in their places. It returns the places that are still open, and why; unsure is whether some
// of them may be stored all the same.
func settle(answers []*broodv1.SubmitResponse, open []int, results []*broodv1.SubmitResponse, resent bool) (left []int, unsure bool, problem error) {
	for i, place := range open {
		if i >= len(results) {
			return append(left, open[i:]...), true, &Failure{Reason: Failed, Text: "the server answered fewer tasks than it was sent"}
		}
		r := results[i]
		if full := passing(r.GetError()); full != nil {
			left, problem = append(left, place), full
			unsure = unsure || r.GetError().GetKind() == "unavailable"
			continue
		}
		if resent {
			r.Duplicate = false // most likely our own
		}
		answers[place] = r
	}
	return left, unsure, problem
}

// passing returns a failure if an error is one that passes.
func passing(e *broodv1.Error) error {
	switch e.GetKind() {
	case "resource_exhausted", "unavailable":
		return &Failure{Reason: Busy, Text: e.GetMessage(), RetryAfter: e.GetRetryAfter().AsDuration()}
	}
	return nil
}
