package jetstream

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
	"github.com/brood-run/brood/supervisor/task"
)

func toTask(m *broker.Message) *storepb.Task {
	t := &m.Task
	return &storepb.Task{
		Id: t.ID, Name: t.Name, Payload: t.Payload, Pool: m.Pool, Meta: t.Meta,
		Priority: int32(t.Priority), SoftTimeout: int64(t.SoftTimeout), HardTimeout: int64(t.HardTimeout),
		MaxAttempts: uint32(t.MaxAttempts), AtMostOnce: t.AtMostOnce,
		Submitted: stamp(m.Submitted), NotBefore: stamp(m.NotBefore), Expires: stamp(m.Expires),
		UniqueKey: m.UniqueKey, UniqueTtl: int64(m.UniqueTTL),
		ConcurrencyKey: m.ConcurrencyKey, ConcurrencyLimit: uint32(m.ConcurrencyLimit),
		History: toHistory(m.History), ExpiresAfter: int64(t.Expires),
	}
}

func fromTask(s *storepb.Task, m *broker.Message) {
	*m = broker.Message{
		Task: task.Task{
			ID: s.GetId(), Name: s.GetName(), Payload: s.GetPayload(),
			Options: task.Options{
				Priority: int(s.GetPriority()), SoftTimeout: time.Duration(s.GetSoftTimeout()),
				HardTimeout: time.Duration(s.GetHardTimeout()), MaxAttempts: int(s.GetMaxAttempts()),
				AtMostOnce: s.GetAtMostOnce(), Meta: s.GetMeta(), Expires: time.Duration(s.GetExpiresAfter()),
			},
		},
		Pool: s.GetPool(), Submitted: unstamp(s.GetSubmitted()), NotBefore: unstamp(s.GetNotBefore()),
		Expires: unstamp(s.GetExpires()), UniqueKey: s.GetUniqueKey(), UniqueTTL: time.Duration(s.GetUniqueTtl()),
		ConcurrencyKey: s.GetConcurrencyKey(), ConcurrencyLimit: int(s.GetConcurrencyLimit()),
		History: fromHistory(s.GetHistory()),
	}
}

func toHistory(h broker.History) *storepb.History {
	if h.Starts == 0 && h.Crashes == 0 && len(h.Attempts) == 0 {
		return nil
	}
	return &storepb.History{Starts: uint32(h.Starts), Crashes: uint32(h.Crashes), Attempts: toAttempts(h.Attempts)}
}

func fromHistory(s *storepb.History) broker.History {
	if s == nil {
		return broker.History{}
	}
	return broker.History{Starts: int(s.Starts), Crashes: int(s.Crashes), Attempts: fromAttempts(s.Attempts)}
}

func toAttempts(attempts []task.Attempt) []*storepb.Attempt {
	stored := make([]*storepb.Attempt, 0, len(attempts))
	for i := range attempts {
		a := &attempts[i]
		stored = append(stored, &storepb.Attempt{
			N: uint32(a.N), Worker: a.Worker, Pid: int64(a.PID), Outcome: string(a.Outcome), Message: a.Message,
			Signal: a.Signal, ExitCode: int32(a.ExitCode), PeakRss: a.PeakRSS, Cpu: int64(a.CPU), Run: int64(a.Run),
			OutputTail: a.OutputTail, Stack: a.Stack,
		})
	}
	return stored
}

func fromAttempts(stored []*storepb.Attempt) []task.Attempt {
	if len(stored) == 0 {
		return nil
	}
	attempts := make([]task.Attempt, len(stored))
	for i, s := range stored {
		attempts[i] = task.Attempt{
			N: int(s.GetN()), Worker: s.GetWorker(), PID: int(s.GetPid()), Outcome: task.Outcome(s.GetOutcome()),
			Message: s.GetMessage(), Signal: s.GetSignal(), ExitCode: int(s.GetExitCode()), PeakRSS: s.GetPeakRss(),
			CPU: time.Duration(s.GetCpu()), Run: time.Duration(s.GetRun()),
			OutputTail: s.GetOutputTail(), Stack: s.GetStack(),
		}
	}
	return attempts
}

func toResult(m *broker.Message, r *task.Result) *storepb.Result {
	s := &storepb.Result{
		Task: toTask(m), Status: string(r.Status), Payload: r.Payload, Attempts: toAttempts(r.Attempts),
		Started: uint32(r.Started), Queued: int64(r.Queued), Run: int64(r.Run),
	}
	s.Task.History = nil // the result has what matters of it
	if r.Err != nil {
		s.ErrorKind, s.ErrorMessage = r.Err.Kind, r.Err.Message
	}
	return s
}

func fromResult(s *storepb.Result, m *broker.Message) task.Result {
	fromTask(s.GetTask(), m)
	r := task.Result{
		Task: m.Task, Status: task.Status(s.GetStatus()), Payload: s.GetPayload(), Attempts: fromAttempts(s.GetAttempts()),
		Started: int(s.GetStarted()), Queued: time.Duration(s.GetQueued()), Run: time.Duration(s.GetRun()),
	}
	if s.GetErrorKind() != "" || s.GetErrorMessage() != "" {
		r.Err = &task.Error{Kind: s.GetErrorKind(), Message: s.GetErrorMessage()}
	}
	return r
}

// encode cannot fail for what this package stores: its strings are checked where they come in.
func encode(m proto.Message) ([]byte, error) { return proto.Marshal(m) }
