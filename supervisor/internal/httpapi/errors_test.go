package httpapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/brood-run/brood/supervisor"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// refusing is a supervisor whose broker says no.
type refusing struct {
	Backend
	err error
}

func (r *refusing) Enqueue(_ context.Context, ms []*broker.Message) []error {
	errs := make([]error, len(ms))
	for i := range errs {
		errs[i] = r.err
	}
	return errs
}

func TestErrorsOfSubmit(t *testing.T) {
	backend := &refusing{}
	r := newRig(t, setup{backend: func(b Backend) Backend { backend.Backend = b; return backend }})
	for name, c := range map[string]struct {
		err    error
		code   connect.Code
		says   string
		status int
		retry  bool
	}{
		"invalid":     {fmt.Errorf("%w: priority 5 is bad", task.ErrInvalid), connect.CodeInvalidArgument, "priority 5 is bad", 400, false},
		"no pool":     {fmt.Errorf("%w: %q", supervisor.ErrNoPool, "x"), connect.CodeInvalidArgument, "task: no pool serves", 400, false},
		"held":        {fmt.Errorf("x: %w", &broker.HeldError{Key: "k", Holder: "task-7"}), connect.CodeAlreadyExists, "task-7", 409, false},
		"full":        {broker.ErrFull, connect.CodeResourceExhausted, "queue is full", 429, true},
		"unavailable": {fmt.Errorf("%w: no route", broker.ErrUnavailable), connect.CodeUnavailable, "no route", 503, true},
		"closed":      {supervisor.ErrClosed, connect.CodeUnavailable, "not running", 503, true},
		"not started": {supervisor.ErrNotStarted, connect.CodeUnavailable, "not running", 503, true},
		"broker gone": {broker.ErrClosed, connect.CodeUnavailable, "not running", 503, true},
		"not found":   {broker.ErrNotFound, connect.CodeNotFound, "not found", 404, false},
		"finished":    {broker.ErrFinished, connect.CodeFailedPrecondition, "has its result", 400, false},
		"too late":    {context.DeadlineExceeded, connect.CodeDeadlineExceeded, "time given", 504, false},
		"gone":        {context.Canceled, connect.CodeCanceled, "gone", 499, false},
		"surprise":    {errors.New("surprise"), connect.CodeInternal, "surprise", 500, false},
	} {
		t.Run(name, func(t *testing.T) {
			backend.err = c.err
			for protocol, client := range map[string]broodv1.TaskServiceClient{"connect": r.tasks(), "grpc": r.tasks(connect.WithGRPC())} {
				_, err := client.Submit(t.Context(), &broodv1.SubmitRequest{})
				if connect.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: %v, want %v and %q", protocol, err, c.code, c.says)
				}
				if retry := retryInfo(t, err); retry != c.retry {
					t.Errorf("%s: retry info %v, want %v", protocol, retry, c.retry)
				}
			}
			got := r.curl(t, "Submit", `{}`)
			if m := got.json(t); got.status != c.status || m["code"] != c.code.String() || !strings.Contains(m["message"].(string), c.says) {
				t.Errorf("curl: %d %s", got.status, got.body)
			}
			if has := got.header.Get("Retry-After") == "1"; has != c.retry {
				t.Errorf("Retry-After: %q", got.header.Get("Retry-After"))
			}
			out, err := r.tasks().SubmitBatch(t.Context(), &broodv1.SubmitBatchRequest{Tasks: []*broodv1.SubmitRequest{{}}})
			if err != nil {
				t.Fatal(err)
			}
			if e := out.GetResults()[0].GetError(); e.GetKind() != c.code.String() || !strings.Contains(e.GetMessage(), c.says) || (e.GetRetryAfter() != nil) != c.retry {
				t.Errorf("in a batch: %v", e)
			}
		})
	}
}

// retryInfo says whether an error tells when to try again.
func retryInfo(t testing.TB, err error) bool {
	t.Helper()
	e := new(connect.Error)
	if !errors.As(err, &e) {
		t.Fatalf("%v is no error of the API", err)
	}
	for _, d := range e.Details() {
		if v, err := d.Value(); err == nil {
			if info, ok := v.(*errdetails.RetryInfo); ok {
				return info.GetRetryDelay().AsDuration() > 0
			}
		}
	}
	return false
}

func TestUniqueKeyNamesItsHolder(t *testing.T) {
	r := newRig(t, setup{idle: true})
	c := r.tasks()
	once := &broodv1.TaskOptions{UniqueKey: "k"}
	submit(t, c, &broodv1.SubmitRequest{Id: "first", Task: "ok", Options: once})
	_, err := c.Submit(t.Context(), &broodv1.SubmitRequest{Id: "second", Task: "ok", Options: once})
	if connect.CodeOf(err) != connect.CodeAlreadyExists || !strings.Contains(err.Error(), "first") {
		t.Errorf("got %v", err)
	}
}

func TestOptionsThatAreWrongAreNamed(t *testing.T) {
	r := newRig(t, setup{idle: true})
	for field, options := range map[string]string{
		"options.delay":              `{"delay":"1s","notBefore":"2030-01-01T00:00:00Z"}`,
		"options.expires_in":         `{"expiresIn":"-1s"}`,
		"options.not_before":         `{"notBefore":"9999-01-01T00:00:00Z"}`,
		"options.unique_ttl: -":      `{"uniqueKey":"k","uniqueTtl":"-1s"}`,
		"unique_ttl without":         `{"uniqueTtl":"1s"}`,
		"concurrency_limit -1":       `{"concurrencyKey":"k","concurrencyLimit":-1}`,
		"concurrency_limit without":  `{"concurrencyLimit":2}`,
		"options.soft_timeout":       `{"softTimeout":"315576000000s"}`,
		"priority 1001":              `{"priority":1001}`,
		"max_attempts 70000":         `{"maxAttempts":70000}`,
		"expire before it may start": `{"delay":"10s","expiresIn":"5s"}`,
		`"prioritty"`:                `{"prioritty":1}`,
	} {
		got := r.curl(t, "Submit", `{"task":"ok","options":`+options+`}`)
		if m := got.json(t); got.status != 400 || m["code"] != "invalid_argument" || !strings.Contains(m["message"].(string), field) {
			t.Errorf("%s: %d %s, want it to say %q", options, got.status, got.body, field)
		}
	}
	long := strings.Repeat("k", 257)
	if got := r.curl(t, "Submit", `{"options":{"uniqueKey":"`+long+`"}}`); got.status != 400 || !strings.Contains(string(got.body), "unique_key") {
		t.Errorf("a long key: %s", got.body)
	}
}
