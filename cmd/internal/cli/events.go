package cli

import (
	"context"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func eventsCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	var kinds []string
	return r.command(verb{
		name: "events", usage: "follow what happens to tasks and workers",
		text: "brood events [options]", help: eventsHelp,
		settings: []setting{
			{"kind", "only events of this `KIND`, such as task_finished; may be repeated", "all", many, texts(&kinds)},
			r.jsonSetting(),
		},
		run: func(ctx context.Context, c *client.Client, _ []string) error { return r.follow(ctx, c, kinds) },
	})
}

// eventObject is an event in JSON.
type eventObject struct {
	Time    *time.Time     `json:"time,omitempty"`
	Kind    string         `json:"kind"`
	Text    string         `json:"text"`
	Fields  map[string]any `json:"fields,omitempty"`
	Dropped uint64         `json:"dropped,omitempty"`
}

func (r *remote) follow(ctx context.Context, c *client.Client, kinds []string) error {
	stream, err := c.Admin.WatchEvents(ctx, &broodv1.WatchEventsRequest{Kinds: kinds})
	if err != nil {
		return c.Explain(err)
	}
	defer stream.Close()
	for stream.Receive() {
		if err := r.event(stream.Msg()); err != nil {
			return err
		}
	}
	return c.Explain(stream.Err())
}

func (r *remote) event(e *broodv1.WatchEventsResponse) error {
	if r.json {
		return r.object(eventObject{moment(e.GetTime()), e.GetKind(), e.GetText(), e.GetFields().AsMap(), e.GetDropped()})
	}
	if n := e.GetDropped(); n > 0 {
		r.tell("%s lost here: they came faster than they were read", wasOrWere(int(n), "event"))
	}
	return r.line("%s  %s", e.GetTime().AsTime().Local().Format("15:04:05.000"), e.GetText())
}
