package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
)

// gate decides whether a call may go on, before its body is read.
func (a *API) gate(ctx context.Context, spec connect.Spec, peer connect.Peer, h http.Header) (context.Context, error) {
	c, err := a.admit(spec.Procedure, h)
	if err != nil {
		a.cfg.Logger.Debug("call refused", "procedure", spec.Procedure, "peer", peer.Addr, "code", connect.CodeOf(err))
		return nil, err
	}
	return context.WithValue(ctx, callerKey{}, c), nil
}

type callerKey struct{}

// callerOf is who makes a call that has passed the gate.
func callerOf(ctx context.Context) *caller { return ctx.Value(callerKey{}).(*caller) }

// journal logs calls. What is in them is never logged.
type journal struct{ *API }

var _ connect.Interceptor = journal{}

// WrapUnary implements connect.Interceptor.
func (j journal) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		began := time.Now()
		leave, err := j.weigh(r)
		if err != nil {
			return nil, err
		}
		defer leave()
		out, err := next(ctx, r)
		j.called(ctx, r.Spec(), r.Peer(), began, err)
		return out, err
	}
}

// weigh counts what a message has become that its body did not tell when it was read.
func (j journal) weigh(r connect.AnyRequest) (leave func(), err error) {
	var size int64
	zipped := compressed(r.Header())
	if zipped || !isJSON(r.Header()) {
		size = growth(r.Any())
	}
	if m, ok := r.Any().(proto.Message); ok && zipped {
		size += int64(proto.Size(m))
	}
	if size == 0 {
		return func() {}, nil
	}
	size = min(size, int64(j.cfg.Limits.MaxBuffered)/2) // beside its body
	if !j.room.TryAcquire(size) {
		return nil, noRoom()
	}
	return func() { j.room.Release(size) }, nil
}

func compressed(h http.Header) bool {
	return h.Get("Content-Encoding") != "" || h.Get("Grpc-Encoding") != ""
}

// WrapStreamingClient implements connect.Interceptor; this is no client.
func (journal) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements connect.Interceptor.
func (j journal) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		leave, err := j.streams.enter(1)
		if err != nil {
			return err
		}
		defer leave()
		began := time.Now()
		ctx, cancel := callerOf(ctx).whileValid(ctx)
		defer cancel()
		err = next(ctx, conn)
		j.called(ctx, conn.Spec(), conn.Peer(), began, err)
		return err
	}
}

func (j journal) called(ctx context.Context, spec connect.Spec, peer connect.Peer, began time.Time, err error) {
	logger := j.cfg.Logger
	if f := (*fault)(nil); errors.As(err, &f) {
		logger.Error("call failed", "procedure", spec.Procedure, "error", err)
	}
	if !logger.IsDebug() {
		return
	}
	code := "ok"
	if err != nil {
		code = connect.CodeOf(err).String()
	}
	logger.Debug("call", "procedure", spec.Procedure, "code", code, "duration", time.Since(began), "peer", peer.Addr,
		"protocol", peer.Protocol, "token", callerOf(ctx).name)
}

// recovered turns a panic into an error. That it came is a fault of ours.
func (a *API) recovered(_ context.Context, spec connect.Spec, _ http.Header, what any) error {
	a.cfg.Logger.Error("call panicked", "procedure", spec.Procedure, "panic", fmt.Sprint(what), "stack", string(debug.Stack()))
	return connect.NewError(connect.CodeInternal, errors.New("the server made a mistake, which is in its log"))
}
