package httpapi

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/event"
)

// eventsBehind is how many events a reader may be behind before it loses some.
const eventsBehind = 1024

// WatchEvents implements broodv1.AdminServiceHandler.
func (a admin) WatchEvents(ctx context.Context, r *broodv1.WatchEventsRequest, stream *connect.ServerStream[broodv1.WatchEventsResponse]) error {
	for _, kind := range r.GetKinds() {
		if known := event.Kinds(); !slices.Contains(known, kind) {
			return invalid("kinds", "%q is none of %s", kind, strings.Join(known, ", "))
		}
	}
	events := a.cfg.Backend.Events(eventsBehind)
	defer events.Close()
	if err := stream.Send(nil); err != nil { // headers: the caller knows that it misses nothing from here on
		return err
	}
	var told uint64 // of those that were dropped
	for {
		select {
		case e, open := <-events.C():
			if !open {
				return stopped()
			}
			if len(r.GetKinds()) > 0 && !slices.Contains(r.GetKinds(), e.Kind()) {
				continue
			}
			dropped := events.Dropped()
			out := eventOf(e)
			out.Dropped, told = dropped-told, dropped
			if err := stream.Send(out); err != nil {
				return err
			}
		case <-ctx.Done():
			return answer(context.Cause(ctx))
		case <-a.stopping:
			return stopped()
		}
	}
}

func eventOf(e event.Event) *broodv1.WatchEventsResponse {
	return &broodv1.WatchEventsResponse{Time: timestamppb.New(e.When()), Kind: e.Kind(), Text: text(e.String()), Fields: fieldsOf(e)}
}

// fieldsOf are an event's fields under their names in snake case; durations are in seconds.
func fieldsOf(e event.Event) *structpb.Struct {
	v := reflect.ValueOf(e)
	out := &structpb.Struct{Fields: make(map[string]*structpb.Value, v.NumField())}
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; name != "Time" {
			out.Fields[snake(name)] = fieldOf(v.Field(i))
		}
	}
	return out
}

func fieldOf(v reflect.Value) *structpb.Value {
	switch x := v.Interface().(type) {
	case time.Duration:
		return structpb.NewNumberValue(x.Seconds())
	case fmt.Stringer:
		return structpb.NewStringValue(text(x.String()))
	}
	switch v.Kind() {
	case reflect.Int:
		return structpb.NewNumberValue(float64(v.Int()))
	case reflect.Float64:
		return structpb.NewNumberValue(v.Float())
	case reflect.Bool:
		return structpb.NewBoolValue(v.Bool())
	}
	return structpb.NewStringValue(text(fmt.Sprint(v.Interface())))
}

// snake turns a field's name into what JSON has: TaskName to task_name, PID to pid.
func snake(name string) string {
	var b strings.Builder
	var last rune
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		last = r
	}
	return b.String()
}
