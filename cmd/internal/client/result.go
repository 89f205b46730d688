package client

import (
	"strings"

	"google.golang.org/protobuf/encoding/protojson"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
)

// State is a task's state in lower case, as results spell it: "completed".
func State(s broodv1.TaskState) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "TASK_STATE_"))
}

// Final says that a task in this state has its result.
func Final(s broodv1.TaskState) bool { return s >= broodv1.TaskState_TASK_STATE_COMPLETED }

// Unknown says that the server knows no such task.
func Unknown(t *broodv1.Task) bool {
	return t.GetState() == broodv1.TaskState_TASK_STATE_UNSPECIFIED && t.GetError() != nil
}

// Result is what a task that has its result ended in.
func Result(t *broodv1.Task) task.Result {
	r := task.Result{
		Task:    task.Task{ID: t.GetId(), Name: t.GetTask(), Options: task.Options{Meta: t.GetMeta(), Priority: int(t.GetPriority())}},
		Status:  task.Status(State(t.GetState())),
		Payload: Output(t),
		Started: int(t.GetStarts()),
		Queued:  t.GetQueued().AsDuration(),
		Run:     t.GetRun().AsDuration(),
	}
	if e := t.GetError(); e != nil {
		r.Err = &task.Error{Kind: e.GetKind(), Message: e.GetMessage()}
	}
	for _, a := range t.GetAttempts() {
		r.Attempts = append(r.Attempts, attempt(a))
	}
	return r
}

// Output is the handler's answer.
func Output(t *broodv1.Task) []byte {
	if v := t.GetResult(); v != nil {
		raw, err := protojson.Marshal(v)
		if err == nil {
			return raw
		}
	}
	return t.GetResultBytes()
}

func attempt(a *broodv1.Attempt) task.Attempt {
	out := task.Attempt{
		N: int(a.GetN()), Worker: a.GetWorker(), PID: int(a.GetPid()),
		Outcome: task.Outcome(a.GetOutcome()), Message: a.GetMessage(),
		Signal: a.GetSignal(), ExitCode: -1, PeakRSS: a.GetPeakRssBytes(),
		CPU: a.GetCpu().AsDuration(), Run: a.GetRun().AsDuration(),
		OutputTail: a.GetOutputTail(), Stack: a.GetStack(),
	}
	if a.ExitCode != nil {
		out.ExitCode = int(a.GetExitCode())
	}
	return out
}

// Payload is what a dead task was given, or nil if the answer does not say.
func Payload(l *broodv1.DeadLetter) []byte {
	if v := l.GetPayload(); v != nil {
		if raw, err := protojson.Marshal(v); err == nil {
			return raw
		}
	}
	return l.GetPayloadBytes()
}
