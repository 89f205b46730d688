package httpapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/brood-run/brood/supervisor"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// again is when it is worth asking once more whether a queue has room or a broker is back.
const again = time.Second

// refusal is an error as the API puts it.
type refusal struct {
	code    connect.Code
	message string
	retry   time.Duration // 0: trying again will not help
}

// explain translates what a supervisor or a broker says.
func explain(err error) refusal {
	var held *broker.HeldError
	switch {
	case errors.Is(err, task.ErrInvalid), errors.Is(err, supervisor.ErrConfig), errors.Is(err, broker.ErrTooLarge):
		return refusal{code: connect.CodeInvalidArgument, message: err.Error()}
	case errors.Is(err, supervisor.ErrNoPool):
		return refusal{code: connect.CodeInvalidArgument, message: fmt.Sprintf("task: %v; ListPools says what is served", err)}
	case errors.As(err, &held):
		return refusal{code: connect.CodeAlreadyExists, message: held.Error() + ", which has no result yet"}
	case errors.Is(err, broker.ErrDuplicate):
		return refusal{code: connect.CodeAlreadyExists, message: err.Error()}
	case errors.Is(err, broker.ErrFull):
		return refusal{connect.CodeResourceExhausted, err.Error() + ": submit again when some of its tasks are done", again}
	case errors.Is(err, broker.ErrNotFound), errors.Is(err, supervisor.ErrNoPoolNamed), errors.Is(err, supervisor.ErrNoWorkerNamed):
		return refusal{code: connect.CodeNotFound, message: err.Error()}
	case errors.Is(err, broker.ErrFinished):
		return refusal{code: connect.CodeFailedPrecondition, message: err.Error() + "; it cannot be changed any more"}
	case errors.Is(err, broker.ErrUnavailable):
		return refusal{connect.CodeUnavailable, err.Error() + "; it is not known whether this had an effect, repeating it does no harm", again}
	case errors.Is(err, broker.ErrClosed), errors.Is(err, supervisor.ErrClosed), errors.Is(err, supervisor.ErrNotStarted):
		return refusal{connect.CodeUnavailable, "the server is not running: " + err.Error(), again}
	case errors.Is(err, context.DeadlineExceeded):
		return refusal{code: connect.CodeDeadlineExceeded, message: "the time given for this call is over: " + err.Error()}
	case errors.Is(err, context.Canceled):
		return refusal{code: connect.CodeCanceled, message: "the caller has gone"}
	}
	return refusal{code: connect.CodeInternal, message: err.Error()}
}

// answer is an error for a whole call; nil stays nil, and what is an answer stays as it is.
func answer(err error) error {
	if err == nil {
		return nil
	}
	if c := new(connect.Error); errors.As(err, &c) {
		return err
	}
	r := explain(err)
	return r.asError()
}

func (r refusal) asError() *connect.Error {
	err := connect.NewError(r.code, errors.New(text(r.message)))
	if r.code == connect.CodeInternal {
		err = connect.NewError(r.code, &fault{text(r.message)})
	}
	if r.retry <= 0 {
		return err
	}
	if detail, e := connect.NewErrorDetail(&errdetails.RetryInfo{RetryDelay: durationpb.New(r.retry)}); e == nil {
		err.AddDetail(detail)
	}
	err.Meta().Set("Retry-After", strconv.Itoa(int(math.Ceil(r.retry.Seconds()))))
	return err
}

// fault is an error that nobody has foreseen; it goes to the log as well.
type fault struct{ message string }

func (f *fault) Error() string { return f.message }

// asPart is an error for one of many.
func asPart(err error) *broodv1.Error {
	r := explain(err)
	e := &broodv1.Error{Kind: r.code.String(), Message: text(r.message)}
	if r.retry > 0 {
		e.RetryAfter = durationpb.New(r.retry)
	}
	return e
}

// invalid says what is wrong with a field of a request.
func invalid(field, format string, args ...any) error {
	return connect.NewError(connect.CodeInvalidArgument, fmt.Errorf(field+": "+format, args...))
}

// exhausted says that there is too much of something, for a while.
func exhausted(retry time.Duration, format string, args ...any) error {
	return refusal{connect.CodeResourceExhausted, fmt.Sprintf(format, args...), retry}.asError()
}

// stopped is what calls get that the server's end has cut short.
func stopped() error {
	return refusal{connect.CodeUnavailable, "the server is stopping; ask again when it is back", again}.asError()
}
