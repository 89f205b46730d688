package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func TestStreamAnswersInOrder(t *testing.T) {
	r := newRig(t, setup{idle: true})
	for name, c := range map[string]broodv1.TaskServiceClient{"connect": r.tasks(), "grpc": r.tasks(connect.WithGRPC()), "json": r.tasks(connect.WithProtoJSON()), "gzip": r.tasks(connect.WithSendGzip())} {
		t.Run(name, func(t *testing.T) {
			s, err := c.SubmitStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			const n = 3000
			sent := make(chan error, 1)
			go func() {
				for i := range n {
					q := &broodv1.SubmitRequest{Id: fmt.Sprint(name, i), Task: "ok", Input: payload("x")}
					if i%100 == 7 {
						q.Options = &broodv1.TaskOptions{Priority: 5000}
					}
					if err := s.Send(q); err != nil {
						sent <- err
						return
					}
				}
				sent <- s.CloseRequest()
			}()
			for i := range n {
				got, err := s.Receive()
				if err != nil {
					t.Fatalf("answer %d: %v", i, err)
				}
				if got.GetId() != fmt.Sprint(name, i) || (got.GetError() != nil) != (i%100 == 7) {
					t.Fatalf("answer %d: %v", i, got)
				}
			}
			if _, err := s.Receive(); !errors.Is(err, io.EOF) {
				t.Errorf("at the end: %v", err)
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
			_ = s.CloseResponse()
		})
	}
	r.allFree(t)
}

// A caller may have a task now and another one later.
func TestStreamAnswersAtOnce(t *testing.T) {
	r := newRig(t, setup{idle: true, limits: func(l *Limits) { l.Stall = 100 * time.Millisecond }})
	s, err := r.tasks().SubmitStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := s.Send(&broodv1.SubmitRequest{Id: fmt.Sprint(i), Task: "ok"}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Receive(); err != nil || got.GetId() != fmt.Sprint(i) {
			t.Fatalf("%v, %v", got, err)
		}
		<-time.After(150 * time.Millisecond) // longer than a caller may stall
	}
	_ = s.CloseRequest()
	_ = s.CloseResponse()
	r.allFree(t)
}

func TestStopEndsStreamThatWaitsForTasks(t *testing.T) {
	r := newRig(t, setup{idle: true})
	streams := map[string]*connect.BidiStreamForClientSimple[broodv1.SubmitRequest, broodv1.SubmitResponse]{}
	for name, c := range map[string]broodv1.TaskServiceClient{"connect": r.tasks(), "grpc": r.tasks(connect.WithGRPC())} {
		s, err := c.SubmitStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Send(&broodv1.SubmitRequest{Task: "ok"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(); err != nil {
			t.Fatal(err)
		}
		streams[name] = s
	}
	r.api.Stop()
	for name, s := range streams {
		if _, err := s.Receive(); connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), "stopping") {
			t.Errorf("%s: %v", name, err)
		}
		_ = s.CloseRequest()
		_ = s.CloseResponse()
	}
	r.allFree(t)
}

func TestStreamThatBreaksOff(t *testing.T) {
	r := newRig(t, setup{idle: true})
	ctx, cancel := context.WithCancel(t.Context())
	s, err := r.tasks().SubmitStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := s.Send(&broodv1.SubmitRequest{Task: "ok", Input: payload(strings.Repeat("x", 10_000))}); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	_ = s.CloseResponse()
	r.allFree(t)
}

// A caller that sends and never reads is cut off, and harms nobody else.
func TestStreamThatIsNotRead(t *testing.T) {
	r := newRig(t, setup{idle: true, limits: func(l *Limits) { l.Stall = 200 * time.Millisecond }})
	s, err := r.tasks().SubmitStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Repeat("i", 900)
	for i := 0; ; i++ { // until what is not read fills all windows
		if err := s.Send(&broodv1.SubmitRequest{Id: fmt.Sprint(id, i), Task: "ok", Options: &broodv1.TaskOptions{Priority: 5000}}); err != nil {
			break
		}
		if i%10_000 == 0 {
			submit(t, broodv1.NewTaskServiceClient(r.http1, r.web.URL), &broodv1.SubmitRequest{Task: "ok"})
		}
	}
	_ = s.CloseResponse()
	r.allFree(t)
}
