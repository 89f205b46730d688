package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/brood-run/brood/supervisor/broker"
)

// mostLast is how many subjects a server looks up in one request.
const mostLast = 1024

// stored is a message as a stream has it.
type stored struct {
	subject string
	seq     uint64
	data    []byte
}

// lookup is a request for messages of a stream, the fields as the server names them.
type lookup struct {
	Seq      uint64   `json:"seq,omitempty"`
	NextFor  string   `json:"next_by_subj,omitempty"`
	Batch    int      `json:"batch,omitempty"`
	Last     []string `json:"multi_last,omitempty"`
	LastFor  string   `json:"last_by_subj,omitempty"` // of a leader only
	MaxBytes int      `json:"max_bytes,omitempty"`
}

// answers is room for all that the server may say: an answer without room is lost. A subject with
// wildcards stands for few messages, of which there are mostLast at most.
func (q *lookup) answers() int { return min(4*max(len(q.Last), q.Batch)+4, max(mostLast, q.Batch)+4) }

// lasts calls f with the last message of each of the subjects that has one. What was stored before is there. Where a
// subject has wildcards and stands for several, it may be called for one of them only.
func (s *session) lasts(ctx context.Context, stream string, subjects []string, f func(stored)) error {
	if s.replicated.Load() {
		return s.fromLeader(ctx, stream, subjects, f)
	}
	return s.lastsNearby(ctx, stream, subjects, f)
}

// lastsNearby calls f with the last message of each of the subjects that has one, all that a wildcard stands for too,
// as some server knows it: it may be behind the others.
func (s *session) lastsNearby(ctx context.Context, stream string, subjects []string, f func(stored)) error {
	for len(subjects) > 0 {
		n := min(len(subjects), mostLast)
		// A wildcard may match several subjects: the server refuses what is too much, and half of it is asked for.
		for {
			_, err := s.get(ctx, stream, lookup{Last: subjects[:n]}, f)
			if err == nil {
				break
			}
			if !errors.Is(err, errTooMany) || n == 1 {
				return err
			}
			n /= 2
		}
		subjects = subjects[n:]
	}
	return nil
}

var errTooMany = errors.New("too many results")

// get asks for messages, calls f with each, and returns how many there are after them, as some server knows it: it may
// be behind the others.
func (s *session) get(ctx context.Context, stream string, q lookup, f func(stored)) (pending int, err error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	for began := time.Now(); ; {
		pending, err = s.getOnce(ctx, stream, q, f)
		// A stream can be seen a moment before it answers.
		if !errors.Is(err, nats.ErrNoResponders) || time.Since(began) > firstAnswer {
			return pending, err
		}
		select {
		case <-ctx.Done():
			return pending, err
		case <-time.After(inProcessPause):
		}
	}
}

func (s *session) getOnce(ctx context.Context, stream string, q lookup, f func(stored)) (pending int, err error) {
	request, err := json.Marshal(q)
	if err != nil {
		return 0, err
	}
	inbox := s.nc.NewInbox()
	answers := make(chan *nats.Msg, q.answers())
	sub, err := s.nc.ChanSubscribe(inbox, answers)
	if err != nil {
		return 0, unavailable(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is closed
	if err := s.nc.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, request); err != nil {
		return 0, unavailable(err)
	}
	for {
		var m *nats.Msg
		select {
		case m = <-answers:
		case <-ctx.Done():
			return 0, s.unanswered(ctx)
		}
		switch m.Header.Get("Status") {
		case "":
			f(fromDirect(m))
			pending, _ = strconv.Atoi(m.Header.Get("Nats-Num-Pending"))
			if q.Batch == 0 && q.Last == nil {
				return pending, nil
			}
		case "204", "404":
			return pending, nil
		case "413":
			return 0, errTooMany
		case "503":
			return 0, unavailable(nats.ErrNoResponders)
		default:
			return 0, unavailable(errors.New("the server answers " + m.Header.Get("Status") + " " + m.Header.Get("Description")))
		}
	}
}

// fromDirect reads a message that a server was asked for directly.
func fromDirect(m *nats.Msg) stored {
	seq, _ := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	return stored{subject: m.Header.Get("Nats-Subject"), seq: seq, data: m.Data}
}

// replace stores a message if the last one under its subject has that sequence, 0 for none, and returns its
// own. errExists: it has another.
func (s *session) replace(ctx context.Context, subject string, data []byte, last uint64) (seq uint64, err error) {
	m, err := s.nc.RequestMsgWithContext(ctx, &nats.Msg{
		Subject: subject, Data: data,
		Header: nats.Header{"Nats-Expected-Last-Subject-Sequence": []string{decimal(last)}},
	})
	if err != nil {
		return 0, unwritten(err)
	}
	if err := verdict(m); err != nil {
		return 0, err
	}
	var answer jetstream.PubAck
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return 0, unavailable(err)
	}
	return answer.Sequence, nil
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// remove deletes a message. It is no error if it is not there.
func (s *session) remove(ctx context.Context, stream string, seq uint64) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	err := s.api(ctx, "STREAM.MSG.DELETE."+stream, map[string]any{"seq": seq, "no_erase": true}, &answer)
	if err != nil || answer.Error == nil {
		return err
	}
	for _, gone := range []string{"not found", "no message found", "deleted"} {
		if strings.Contains(answer.Error.Description, gone) {
			return nil
		}
	}
	if answer.Error.Code == 404 || answer.Error.ErrorCode == codeNoSequence {
		return nil
	}
	return unavailable(answer.Error)
}

// codeNoSequence is the server's code for a message that is not there to be deleted.
const codeNoSequence = 10043

// api makes one request of the server.
func (s *session) api(ctx context.Context, name string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	m, err := s.nc.RequestWithContext(ctx, "$JS.API."+name, body)
	if err != nil {
		return unavailable(err)
	}
	if err := json.Unmarshal(m.Data, answer); err != nil {
		return unavailable(err)
	}
	return nil
}

// firstAnswer is how long to wait for the first answer to a request before it is made again.
const firstAnswer = time.Second

// insist makes a request again if no answer comes, as long as ctx lasts, and longer each time: in a cluster one is lost
// when it comes while a stream has no leader, or when somebody else asks for the same to be made at that moment.
func (s *session) insist(ctx context.Context, request func(context.Context) error) error {
	for patience := firstAnswer; ; patience *= 2 {
		try, cancel := context.WithTimeout(ctx, patience)
		err := request(try)
		cancel()
		switch {
		case err != nil && err == ctx.Err(): // which says less
			return context.Cause(ctx)
		case !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
			return err
		}
	}
}

// bound is a context that ends after the time that an exchange may take, too, and with the connection.
func (s *session) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	up := s.line.now()
	ctx, late := context.WithTimeout(ctx, s.cfg.Timeout)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(up, func() { cancel(errBroken) })
	return ctx, func() { stop(); cancel(nil); late() }
}

// unanswered is why there was no answer before the end of a context.
func (s *session) unanswered(ctx context.Context) error {
	if s.nc.IsClosed() {
		return broker.ErrClosed
	}
	return unavailable(context.Cause(ctx))
}
