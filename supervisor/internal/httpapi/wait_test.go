package httpapi

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

func TestWaitThatIsTooShortSaysHowItIs(t *testing.T) {
	r := newRig(t, setup{idle: true})
	c := r.tasks()
	id := submit(t, c, &broodv1.SubmitRequest{Task: "ok"})
	out, err := c.Wait(t.Context(), &broodv1.WaitRequest{Id: id, Timeout: durationpb.New(10 * time.Millisecond)})
	if err != nil || out.GetTask().GetState() != broodv1.TaskState_TASK_STATE_QUEUED {
		t.Errorf("%v, %v", out, err)
	}
	for _, bad := range []*broodv1.WaitRequest{{}, {Id: id, Timeout: durationpb.New(-1)}, {Id: id, Timeout: &durationpb.Duration{Seconds: 1 << 60}}} {
		if _, err := c.Wait(t.Context(), bad); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := c.Wait(t.Context(), &broodv1.WaitRequest{Id: "nobody"}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("unknown: %v", err)
	}
}

func TestManyWaitAtOnce(t *testing.T) {
	r := newRig(t, setup{idle: true})
	c := r.tasks()
	const n = 1200
	var all sync.WaitGroup
	for i := range n {
		id := submit(t, c, &broodv1.SubmitRequest{Id: fmt.Sprint("t", i%100), Task: "ok"})
		all.Go(func() {
			out, err := c.Wait(t.Context(), &broodv1.WaitRequest{Id: id})
			if err != nil || out.GetTask().GetState() != broodv1.TaskState_TASK_STATE_COMPLETED {
				t.Errorf("%s: %v, %v", id, out.GetTask(), err)
			}
		})
	}
	r.supervisor.Undrain()
	all.Wait()
	r.allFree(t)
}

func TestCallerThatLeavesFreesItsWait(t *testing.T) {
	r := newRig(t, setup{idle: true})
	id := submit(t, r.tasks(), &broodv1.SubmitRequest{Task: "ok"})
	for name, c := range map[string]broodv1.TaskServiceClient{"HTTP/2": r.tasks(), "HTTP/1.1": broodv1.NewTaskServiceClient(r.http1, r.web.URL), "grpc": r.tasks(connect.WithGRPC())} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := c.Wait(ctx, &broodv1.WaitRequest{Id: id}); err == nil {
			t.Errorf("%s: the wait ended well", name)
		}
		s, err := c.WaitMany(ctx, &broodv1.WaitManyRequest{Ids: []string{id}})
		if err == nil {
			s.Receive()
			_ = s.Close()
		}
		cancel()
	}
	r.allFree(t)
}

func TestStopEndsWaits(t *testing.T) {
	r := newRig(t, setup{idle: true})
	c := r.tasks()
	id := submit(t, c, &broodv1.SubmitRequest{Task: "ok"})
	s, err := c.WaitMany(t.Context(), &broodv1.WaitManyRequest{Ids: []string{"unknown", id}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.Receive() {
		t.Fatal(s.Err())
	}
	r.api.Stop()
	if s.Receive() || connect.CodeOf(s.Err()) != connect.CodeUnavailable || !retryInfo(t, s.Err()) {
		t.Errorf("WaitMany: %v", s.Err())
	}
	if _, err := c.Wait(t.Context(), &broodv1.WaitRequest{Id: id}); connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("Wait: %v", err)
	}
}

func TestWaitManyStreamsWhatIsThereAndWhatComes(t *testing.T) {
	r := newRig(t, setup{})
	c := r.tasks()
	done := submit(t, c, &broodv1.SubmitRequest{Task: "ok"})
	wait(t, c, done)
	if err := r.supervisor.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := submit(t, c, &broodv1.SubmitRequest{Task: "fail"})
	s, err := c.WaitMany(t.Context(), &broodv1.WaitManyRequest{Ids: []string{later, "unknown", done, done}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	next := func() *broodv1.Task {
		if !s.Receive() {
			t.Fatalf("no more: %v", s.Err())
		}
		return s.Msg().GetTask()
	}
	seen := map[string]int{} // in any order
	for range 3 {
		got := next()
		seen[got.GetId()]++
		switch {
		case got.GetId() == "unknown" && got.GetError().GetKind() == "not_found":
		case got.GetId() == done && got.GetState() == broodv1.TaskState_TASK_STATE_COMPLETED:
		default:
			t.Errorf("got %v", got)
		}
	}
	if seen["unknown"] != 1 || seen[done] != 2 {
		t.Errorf("got %v, want the unknown one once and the one that is done as often as it was asked for", seen)
	}
	r.supervisor.Undrain()
	if got := next(); got.GetId() != later || got.GetState() != broodv1.TaskState_TASK_STATE_DEAD || got.GetError().GetMessage() == "" || len(got.GetAttempts()) != 1 {
		t.Errorf("got %v", got)
	}
	if s.Receive() || s.Err() != nil {
		t.Errorf("at the end: %v", s.Err())
	}
}

func TestWaitManyEndsWithItsTime(t *testing.T) {
	r := newRig(t, setup{idle: true})
	id := submit(t, r.tasks(), &broodv1.SubmitRequest{Task: "ok"})
	s, err := r.tasks().WaitMany(t.Context(), &broodv1.WaitManyRequest{Ids: []string{id}, Timeout: durationpb.New(10 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Receive() || s.Err() != nil {
		t.Errorf("%v, %v", s.Msg(), s.Err())
	}
}

func TestCancel(t *testing.T) {
	r := newRig(t, setup{idle: true})
	c := r.tasks()
	id := submit(t, c, &broodv1.SubmitRequest{Task: "ok"})
	if _, err := c.Cancel(t.Context(), &broodv1.CancelRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, c, id); got.GetState() != broodv1.TaskState_TASK_STATE_CANCELLED {
		t.Errorf("got %v", got)
	}
	for id, want := range map[string]connect.Code{id: connect.CodeFailedPrecondition, "nobody": connect.CodeNotFound, "": connect.CodeInvalidArgument} {
		if _, err := c.Cancel(t.Context(), &broodv1.CancelRequest{Id: id}); connect.CodeOf(err) != want {
			t.Errorf("%q: %v, want %v", id, err, want)
		}
	}
}

// finished is a broker where every task is done, with one result.
type finished struct {
	broker.Broker
	result []byte
}

func (b finished) Get(_ context.Context, id string) (broker.Record, error) {
	return broker.Record{Message: broker.Message{Task: task.Task{ID: id}}, Result: &task.Result{Status: task.Completed, Payload: b.result}}, nil
}

func (b finished) OnResult(_ context.Context, _ string, f func(task.Result)) (func(), error) {
	f(task.Result{})
	return func() {}, nil
}

// Results that nobody reads are counted as long as they are in memory.
func TestAnswersAreCounted(t *testing.T) {
	const size = 1 << 20
	r := newRig(t, setup{idle: true, limits: func(l *Limits) { l.MaxBuffered = 3 * size }})
	r.api.cfg.Broker = finished{r.broker, make([]byte, size)}
	if err := r.api.room.Acquire(t.Context(), 2*size+1); err != nil {
		t.Fatal(err)
	}
	if _, err := r.tasks().Get(t.Context(), &broodv1.GetRequest{Id: "x"}); connect.CodeOf(err) != connect.CodeResourceExhausted || !retryInfo(t, err) {
		t.Errorf("Get without room: %v", err)
	}
	if _, err := r.tasks().Wait(t.Context(), &broodv1.WaitRequest{Id: "x"}); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("Wait without room: %v", err)
	}
	r.api.room.Release(2*size + 1)
	s, err := r.tasks().WaitMany(t.Context(), &broodv1.WaitManyRequest{Ids: []string{"1", "2", "3", "4", "5"}}) // one after the other
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if !s.Receive() {
			t.Fatal(s.Err())
		}
	}
	_ = s.Close()
	if _, err := r.tasks().Get(t.Context(), &broodv1.GetRequest{Id: "x"}); err != nil {
		t.Error(err)
	}
	r.allFree(t)
}
