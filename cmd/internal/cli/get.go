package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	urfave "github.com/urfave/cli/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func getCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	return r.command(verb{
		name: "get", usage: "show where a task stands",
		text: "brood get [options] ID", help: getHelp,
		settings: []setting{r.jsonSetting()},
		args:     argCount{1, 1, "the ID of a task"},
		run: func(ctx context.Context, c *client.Client, args []string) error {
			answer, err := c.Tasks.Get(ctx, &broodv1.GetRequest{Id: args[0]})
			if err != nil {
				return c.Explain(err)
			}
			if r.json {
				return r.object(newTaskObject(answer.GetTask()))
			}
			f := newFacts()
			f.task(answer.GetTask())
			return r.write(f.bytes())
		},
	})
}

// taskObject is a task in JSON. What it shares with a result line is spelled as there.
type taskObject struct {
	ID           string            `json:"id"`
	Task         string            `json:"task"`
	Pool         string            `json:"pool,omitempty"`
	State        string            `json:"state"`
	Priority     int32             `json:"priority"`
	SubmittedAt  *time.Time        `json:"submitted_at,omitempty"`
	NotBefore    *time.Time        `json:"not_before,omitempty"`
	ExpiresAt    *time.Time        `json:"expires_at,omitempty"`
	Meta         map[string]string `json:"meta,omitempty"`
	Starts       int32             `json:"starts"`
	Result       json.RawMessage   `json:"result,omitempty"`
	ResultBase64 []byte            `json:"result_base64,omitempty"`
	Error        *errorLine        `json:"error,omitempty"`
	Attempts     json.RawMessage   `json:"attempts,omitempty"`
	QueuedMillis json.RawMessage   `json:"queued_ms,omitempty"`
	RunMillis    json.RawMessage   `json:"run_ms,omitempty"`
}

func newTaskObject(t *broodv1.Task) taskObject {
	r := client.Result(t)
	o := taskObject{
		ID: t.GetId(), Task: t.GetTask(), Pool: t.GetPool(), State: client.State(t.GetState()), Priority: t.GetPriority(),
		SubmittedAt: moment(t.GetSubmittedAt()), NotBefore: moment(t.GetNotBefore()), ExpiresAt: moment(t.GetExpiresAt()),
		Meta: t.GetMeta(), Starts: t.GetStarts(),
	}
	if r.Err != nil {
		o.Error = &errorLine{r.Err.Kind, r.Err.Message}
	}
	if len(r.Attempts) > 0 {
		o.Attempts = attemptsJSON(r.Attempts)
	}
	if client.Final(t.GetState()) {
		o.QueuedMillis, o.RunMillis = appendMillis(nil, r.Queued), appendMillis(nil, r.Run)
	}
	if t.GetState() == broodv1.TaskState_TASK_STATE_COMPLETED {
		o.Result, o.ResultBase64 = jsonOrBytes(r.Payload)
	}
	return o
}

// jsonOrBytes says in which of its two forms a payload is shown.
func jsonOrBytes(payload []byte) (asJSON json.RawMessage, asBytes []byte) {
	if json.Valid(payload) {
		return payload, nil
	}
	return nil, payload
}

func moment(t *timestamppb.Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	at := t.AsTime()
	return &at
}

// task adds what is known of a task.
func (f *facts) task(t *broodv1.Task) {
	r := client.Result(t)
	f.add("id", t.GetId())
	f.add("task", t.GetTask())
	f.add("pool", t.GetPool())
	f.add("state", client.State(t.GetState()))
	f.time("submitted", t.GetSubmittedAt())
	f.time("not before", t.GetNotBefore())
	f.time("expires", t.GetExpiresAt())
	if t.GetPriority() != 0 {
		f.add("priority", showCount(t.GetPriority()))
	}
	for _, key := range slices.Sorted(maps.Keys(t.GetMeta())) {
		f.add("meta", key+"="+t.GetMeta()[key])
	}
	if t.GetStarts() > 0 || t.GetState() != broodv1.TaskState_TASK_STATE_RUNNING { // the one that runs may not be counted yet
		f.add("starts", showCount(t.GetStarts()))
	}
	f.add("queued", showDuration(r.Queued))
	f.add("run", showDuration(r.Run))
	if r.Err != nil {
		f.add("error", r.Err.Kind+": "+r.Err.Message)
	}
	for _, a := range r.Attempts {
		what := string(a.Outcome)
		if a.Message != "" {
			what += ": " + a.Message
		}
		f.add("attempt", fmt.Sprintf("%d on %s (pid %d): %s", a.N, a.Worker, a.PID, what))
	}
	if t.GetState() == broodv1.TaskState_TASK_STATE_COMPLETED {
		f.add("result", excerpt(r.Payload))
	}
}

// excerpt is a payload for people.
func excerpt(payload []byte) string {
	const most = 1000
	if !json.Valid(payload) {
		return fmt.Sprintf("%s that are not JSON; see --json", plural(len(payload), "byte"))
	}
	if len(payload) > most {
		return fmt.Sprintf("%s ... (%s; see --json)", payload[:most], plural(len(payload), "byte"))
	}
	return string(payload)
}
