package client

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
)

// Submission is a task with the options that only a server has.
type Submission struct {
	task.Task
	// Delay or At keeps it from being started earlier. Zero means at once; at most one is set.
	Delay time.Duration
	At    time.Time
	// UniqueKey lets one task with the key be unfinished at a time, UniqueTTL at the longest.
	UniqueKey string
	UniqueTTL time.Duration
	// ConcurrencyKey lets ConcurrencyLimit tasks with the key run at a time.
	ConcurrencyKey   string
	ConcurrencyLimit int
}

// Request is the submission as the API takes it. The payload passes byte for byte.
func (s *Submission) Request() *broodv1.SubmitRequest {
	r := &broodv1.SubmitRequest{
		Id: s.ID, Task: s.Name,
		Options: &broodv1.TaskOptions{
			Priority:    int32(s.Priority),
			Delay:       optional(s.Delay),
			ExpiresIn:   optional(s.Expires),
			SoftTimeout: optional(s.SoftTimeout), HardTimeout: optional(s.HardTimeout),
			MaxAttempts: int32(s.MaxAttempts), AtMostOnce: s.AtMostOnce,
			UniqueKey: s.UniqueKey, UniqueTtl: optional(s.UniqueTTL),
			ConcurrencyKey: s.ConcurrencyKey, ConcurrencyLimit: int32(s.ConcurrencyLimit),
			Meta: s.Meta,
		},
	}
	if s.Payload != nil {
		r.Input = &broodv1.SubmitRequest_PayloadBytes{PayloadBytes: s.Payload}
	}
	if !s.At.IsZero() {
		r.Options.NotBefore = timestamppb.New(s.At)
	}
	return r
}

// optional leaves out what is not set.
func optional(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}
