package httpapi

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// farthest is how far in the future times may be.
const farthest = 100 * 365 * 24 * time.Hour

// message is a task as it was submitted. The error wraps task.ErrInvalid and names the field.
func message(r *broodv1.SubmitRequest, now time.Time) (*broker.Message, error) {
	m := &broker.Message{Submitted: now}
	m.Task.ID, m.Task.Name = r.GetId(), r.GetTask()
	switch in := r.GetInput().(type) {
	case *broodv1.SubmitRequest_Payload:
		payload, err := appendValue(nil, in.Payload)
		if err != nil {
			return nil, fmt.Errorf("%w: payload: %w", task.ErrInvalid, err)
		}
		m.Task.Payload = payload
	case *broodv1.SubmitRequest_PayloadBytes:
		m.Task.Payload = in.PayloadBytes
	}
	if o := r.GetOptions(); o != nil {
		if err := options(m, o, now); err != nil {
			return nil, fmt.Errorf("%w: options.%w", task.ErrInvalid, err)
		}
	}
	return m, nil
}

func options(m *broker.Message, o *broodv1.TaskOptions, now time.Time) (err error) {
	t := &m.Task
	t.Priority, t.MaxAttempts, t.AtMostOnce, t.Meta = int(o.GetPriority()), int(o.GetMaxAttempts()), o.GetAtMostOnce(), o.GetMeta()
	if m.NotBefore, err = moment("delay", "not_before", o.GetDelay(), o.GetNotBefore(), now); err != nil {
		return err
	}
	if m.Expires, err = moment("expires_in", "expires_at", o.GetExpiresIn(), o.GetExpiresAt(), now); err != nil {
		return err
	}
	if !m.NotBefore.After(now) {
		m.NotBefore = time.Time{}
	}
	if t.SoftTimeout, err = timeout("soft_timeout", o.GetSoftTimeout()); err != nil {
		return err
	}
	if t.HardTimeout, err = timeout("hard_timeout", o.GetHardTimeout()); err != nil {
		return err
	}
	return keys(m, o)
}

// keys takes over what Message.Validate checks.
func keys(m *broker.Message, o *broodv1.TaskOptions) (err error) {
	m.UniqueKey, m.ConcurrencyKey, m.ConcurrencyLimit = o.GetUniqueKey(), o.GetConcurrencyKey(), int(o.GetConcurrencyLimit())
	if m.ConcurrencyKey != "" && m.ConcurrencyLimit == 0 {
		m.ConcurrencyLimit = 1
	}
	m.UniqueTTL, err = span("unique_ttl", o.GetUniqueTtl())
	return err
}

// moment is a time that was given as such or from now on; zero if neither was. One that has
// passed is now, so that no time is too long ago for whoever stores it.
func moment(relative, absolute string, d *durationpb.Duration, t *timestamppb.Timestamp, now time.Time) (time.Time, error) {
	switch {
	case d != nil && t != nil:
		return time.Time{}, fmt.Errorf("%s: %s is set too; use one of the two", relative, absolute)
	case d != nil:
		after, err := span(relative, d)
		return now.Add(after), err
	case t != nil:
		if err := t.CheckValid(); err != nil {
			return time.Time{}, fmt.Errorf("%s: is no time between the years 1 and 9999", absolute)
		}
		at := t.AsTime()
		switch {
		case at.Before(now):
			at = now
		case at.After(now.Add(farthest)):
			return time.Time{}, fmt.Errorf("%s: %v is more than 100 years away", absolute, at)
		}
		return at, nil
	}
	return time.Time{}, nil
}

// span is a duration from 0 to 100 years.
func span(field string, d *durationpb.Duration) (time.Duration, error) {
	if d == nil {
		return 0, nil
	}
	v := d.AsDuration()
	switch {
	case d.CheckValid() != nil || v > farthest:
		return 0, fmt.Errorf("%s: is more than 100 years", field)
	case v < 0:
		return 0, fmt.Errorf("%s: %v is negative", field, v)
	}
	return v, nil
}

// timeout is a duration of which every negative one means none.
func timeout(field string, d *durationpb.Duration) (time.Duration, error) {
	if d != nil && d.CheckValid() == nil && d.AsDuration() < 0 {
		return -1, nil
	}
	return span(field, d)
}
