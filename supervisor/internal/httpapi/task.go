package httpapi

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// taskOf is a record as a caller gets it, who may prefer JSON.
func taskOf(r broker.Record, asJSON bool) *broodv1.Task {
	m := &r.Message
	t := &broodv1.Task{
		Id: text(m.Task.ID), Task: text(m.Task.Name), Pool: text(m.Pool), State: states[r.State],
		SubmittedAt: timestamp(m.Submitted), NotBefore: timestamp(m.NotBefore), ExpiresAt: timestamp(m.Expires),
		Priority: int32(m.Task.Priority), Meta: texts(m.Task.Meta), Starts: int32(m.History.Starts), Attempts: attempts(m.History.Attempts),
	}
	if r.Result != nil {
		addResult(t, r.Result, asJSON)
	}
	return t
}

func addResult(t *broodv1.Task, r *task.Result, asJSON bool) {
	t.State = ends[r.Status]
	t.Starts, t.Attempts = int32(r.Started), attempts(r.Attempts)
	t.Queued, t.Run = durationpb.New(r.Queued), durationpb.New(r.Run)
	if r.Err != nil {
		t.Error = &broodv1.Error{Kind: text(r.Err.Kind), Message: text(r.Err.Message)}
	}
	if r.Status != task.Completed {
		return
	}
	if asJSON {
		if v, err := parseValue(r.Payload); err == nil {
			t.Output = &broodv1.Task_Result{Result: v}
			return
		}
	}
	t.Output = &broodv1.Task_ResultBytes{ResultBytes: r.Payload}
}

var states = map[task.State]broodv1.TaskState{
	task.StateQueued:    broodv1.TaskState_TASK_STATE_QUEUED,
	task.StateRunning:   broodv1.TaskState_TASK_STATE_RUNNING,
	task.StateRetrying:  broodv1.TaskState_TASK_STATE_RETRYING,
	task.StateCompleted: broodv1.TaskState_TASK_STATE_COMPLETED,
	task.StateDead:      broodv1.TaskState_TASK_STATE_DEAD,
	task.StateCancelled: broodv1.TaskState_TASK_STATE_CANCELLED,
	task.StateExpired:   broodv1.TaskState_TASK_STATE_EXPIRED,
}

var ends = map[task.Status]broodv1.TaskState{
	task.Completed: broodv1.TaskState_TASK_STATE_COMPLETED,
	task.Dead:      broodv1.TaskState_TASK_STATE_DEAD,
	task.Cancelled: broodv1.TaskState_TASK_STATE_CANCELLED,
	task.Expired:   broodv1.TaskState_TASK_STATE_EXPIRED,
	task.Rejected:  broodv1.TaskState_TASK_STATE_REJECTED,
}

func attempts(all []task.Attempt) []*broodv1.Attempt {
	out := make([]*broodv1.Attempt, len(all))
	for i := range all {
		a := &all[i]
		out[i] = &broodv1.Attempt{
			N: int32(a.N), Worker: text(a.Worker), Pid: int32(a.PID), Outcome: text(string(a.Outcome)), Message: text(a.Message),
			Signal: text(a.Signal), PeakRssBytes: a.PeakRSS, Cpu: durationpb.New(a.CPU), Run: durationpb.New(a.Run),
			OutputTail: text(a.OutputTail), Stack: text(a.Stack),
		}
		if a.ExitCode >= 0 {
			code := int32(a.ExitCode)
			out[i].ExitCode = &code
		}
	}
	return out
}

// text is a string that protobuf takes: what a worker prints need not be UTF-8.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func texts(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[text(k)] = text(v)
	}
	return out
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
