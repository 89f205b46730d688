package cli

import (
	"context"
	"encoding/json"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func workersCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	pool := ""
	return r.command(verb{
		name: "workers", usage: "show the worker processes, or recycle one",
		text: "brood workers [options]\n   brood workers recycle [options] NAME ...", help: workersHelp,
		settings: []setting{
			{"pool", "only those of the pool `NAME`", "all", single, text(&pool)},
			r.jsonSetting(),
		},
		run:   func(ctx context.Context, c *client.Client, _ []string) error { return r.listWorkers(ctx, c, pool) },
		below: []*urfave.Command{recycleCommand(std)},
	})
}

func (r *remote) listWorkers(ctx context.Context, c *client.Client, pool string) error {
	answer, err := c.Admin.ListWorkers(ctx, &broodv1.ListWorkersRequest{Pool: pool})
	if err != nil {
		return c.Explain(err)
	}
	t := newTable("NAME", "POOL", "PID", "STATE", "RSS", "PEAK", "CPU", "DONE", "AGE", "TASK")
	for _, w := range answer.GetWorkers() {
		if r.json {
			if err := r.object(newWorkerObject(w)); err != nil {
				return err
			}
			continue
		}
		t.row(w.GetName(), w.GetPool(), showCount(w.GetPid()), w.GetState(), showSize(w.GetRssBytes()), showSize(w.GetPeakRssBytes()),
			showDuration(w.GetCpu().AsDuration()), showCount(w.GetDone()), showDuration(w.GetAge().AsDuration()), w.GetTask())
	}
	if r.json {
		return nil
	}
	return r.table(t)
}

// workerObject is a worker in JSON.
type workerObject struct {
	Name    string          `json:"name"`
	Pool    string          `json:"pool"`
	PID     int32           `json:"pid"`
	State   string          `json:"state"`
	Task    string          `json:"task,omitempty"`
	RSS     uint64          `json:"rss"`
	PeakRSS uint64          `json:"peak_rss"`
	CPU     json.RawMessage `json:"cpu_ms"`
	Done    uint64          `json:"done"`
	Age     json.RawMessage `json:"age_ms"`
}

func newWorkerObject(w *broodv1.Worker) workerObject {
	return workerObject{
		Name: w.GetName(), Pool: w.GetPool(), PID: w.GetPid(), State: w.GetState(), Task: w.GetTask(),
		RSS: w.GetRssBytes(), PeakRSS: w.GetPeakRssBytes(), CPU: appendMillis(nil, w.GetCpu().AsDuration()),
		Done: w.GetDone(), Age: appendMillis(nil, w.GetAge().AsDuration()),
	}
}

func recycleCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	return r.command(verb{
		name: "recycle", usage: "replace workers: a new one is started, then the old one finishes and leaves",
		text: "brood workers recycle [options] NAME ...", help: "   brood workers recycle thumbnail-3",
		settings: []setting{r.jsonSetting()},
		args:     argCount{1, -1, "the NAME of a worker"},
		run: func(ctx context.Context, c *client.Client, names []string) error {
			return r.each(names, "is being replaced", func(name string) error {
				_, err := c.Admin.RecycleWorker(ctx, &broodv1.RecycleWorkerRequest{Name: name})
				return c.Explain(err)
			})
		},
	})
}
