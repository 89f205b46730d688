package cli

import (
	"context"
	"encoding/json"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func deadListCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	pool, limit := "", 1000
	return r.command(verb{
		name: "list", usage: "list dead letters, the oldest first",
		text: "brood dead list [options]", help: "   brood dead list --pool thumbnail\n   brood dead list --json | jq -r .id",
		settings: []setting{
			{"pool", "only those of the pool `NAME`", "all", single, text(&pool)},
			{"limit", "list at most `N`", "1000", single, whole(&limit, 1, 1<<31-1)},
			r.jsonSetting(),
		},
		run: func(ctx context.Context, c *client.Client, _ []string) error { return r.listDead(ctx, c, pool, limit) },
	})
}

// listDead goes through the pages.
func (r *remote) listDead(ctx context.Context, c *client.Client, pool string, limit int) error {
	t := newTable("ID", "TASK", "POOL", "DIED", "STARTS", "ERROR")
	request := &broodv1.ListDeadLettersRequest{Pool: pool}
	for limit > 0 {
		request.PageSize = int32(min(limit, 1000))
		page, err := c.DeadLetters.List(ctx, request)
		if err != nil {
			return c.Explain(err)
		}
		for _, letter := range page.GetDeadLetters() {
			limit--
			if r.json {
				if err := r.object(newDeadObject(letter)); err != nil {
					return err
				}
				continue
			}
			dead := letter.GetTask()
			t.row(dead.GetId(), dead.GetTask(), dead.GetPool(), showTime(letter.GetDiedAt().AsTime()), showCount(dead.GetStarts()), reason(dead))
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			break
		}
	}
	if request.PageToken != "" {
		defer r.tell("there are more; see --limit")
	}
	if r.json {
		return nil
	}
	return r.table(t)
}

// reason is why a task died, in one line.
func reason(t *broodv1.Task) string {
	e := t.GetError()
	if e.GetMessage() == "" {
		return e.GetKind()
	}
	return e.GetKind() + ": " + firstLine(e.GetMessage())
}

// deadObject is a dead letter in JSON: a task, and what it was given.
type deadObject struct {
	taskObject
	DiedAt        *time.Time      `json:"died_at,omitempty"`
	Payload       json.RawMessage `json:"payload,omitempty"`
	PayloadBase64 []byte          `json:"payload_base64,omitempty"`
}

func newDeadObject(l *broodv1.DeadLetter) deadObject {
	o := deadObject{taskObject: newTaskObject(l.GetTask()), DiedAt: moment(l.GetDiedAt())}
	if payload := client.Payload(l); payload != nil {
		o.Payload, o.PayloadBase64 = jsonOrBytes(payload)
	}
	return o
}

func deadShowCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	return r.command(verb{
		name: "show", usage: "show a dead letter with its payload and all its attempts",
		text: "brood dead show [options] ID", help: "   brood dead show --json 01981b1e-5a0c-7c3e-9d3a-0d7a8f0a5f10 | jq .payload",
		settings: []setting{r.jsonSetting()},
		args:     argCount{1, 1, "the ID of a dead letter"},
		run: func(ctx context.Context, c *client.Client, args []string) error {
			answer, err := c.DeadLetters.Get(ctx, &broodv1.GetDeadLetterRequest{Id: args[0]})
			if err != nil {
				return c.Explain(err)
			}
			letter := answer.GetDeadLetter()
			if r.json {
				return r.object(newDeadObject(letter))
			}
			return r.write(describeDead(letter))
		},
	})
}

func describeDead(l *broodv1.DeadLetter) []byte {
	f := newFacts()
	f.task(l.GetTask())
	f.time("died", l.GetDiedAt())
	if payload := client.Payload(l); payload != nil {
		f.add("payload", excerpt(payload))
	}
	for _, a := range client.Result(l.GetTask()).Attempts {
		f.add("output", a.OutputTail)
		f.add("stack", a.Stack)
	}
	return f.bytes()
}
