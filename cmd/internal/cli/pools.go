package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func poolsCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	return r.command(verb{
		name: "pools", usage: "show the pools and their queues",
		text: "brood pools [options]", help: poolsHelp,
		settings: []setting{r.jsonSetting()},
		run:      func(ctx context.Context, c *client.Client, _ []string) error { return r.listPools(ctx, c) },
	})
}

func (r *remote) listPools(ctx context.Context, c *client.Client) error {
	answer, err := c.Admin.ListPools(ctx, &broodv1.ListPoolsRequest{})
	if err != nil {
		return c.Explain(err)
	}
	if r.json {
		for _, p := range answer.GetPools() {
			if err := r.object(newPoolObject(p, answer.GetDraining())); err != nil {
				return err
			}
		}
		return nil
	}
	return r.write(showPools(answer))
}

// showPools is a table, with reasons below it that would not fit.
func showPools(answer *broodv1.ListPoolsResponse) []byte {
	t := newTable("POOL", "STATE", "WORKERS", "RUNNING", "QUEUED", "OLDEST", "SCHEDULED", "LEASED", "DEAD", "DONE", "TASKS")
	notes := newFacts()
	for _, p := range answer.GetPools() {
		t.row(p.GetName(), poolState(p, answer.GetDraining()), fmt.Sprintf("%d/%d", p.GetWorkersReady(), p.GetWorkers()),
			showCount(p.GetRunning()), showCount(p.GetQueued()), showDuration(p.GetOldest().AsDuration()), showCount(p.GetScheduled()),
			showCount(p.GetLeased()), showCount(p.GetDead()), showCount(p.GetDone()), strings.Join(p.GetTasks(), ","))
		if why := p.GetDegraded(); why != "" {
			notes.add(p.GetName()+": degraded", why)
		}
		if why := p.GetReloadError(); why != "" {
			notes.add(p.GetName()+": the last reload was rolled back", why)
		}
	}
	return append(t.bytes(), notes.bytes()...)
}

func poolState(p *broodv1.Pool, draining bool) string {
	var words []string
	if p.GetPaused() {
		words = append(words, "paused")
	}
	if draining {
		words = append(words, "draining")
	}
	if p.GetDegraded() != "" {
		words = append(words, "degraded")
	}
	if len(words) == 0 {
		return "ok"
	}
	return strings.Join(words, ",")
}

// poolObject is a pool in JSON.
type poolObject struct {
	Name         string            `json:"name"`
	Plugin       string            `json:"plugin"`
	Tasks        []string          `json:"tasks"`
	Isolation    string            `json:"isolation,omitempty"`
	Workers      int32             `json:"workers"`
	WorkersReady int32             `json:"workers_ready"`
	Paused       bool              `json:"paused"`
	Draining     bool              `json:"draining"`
	Degraded     string            `json:"degraded,omitempty"`
	ReloadError  string            `json:"reload_error,omitempty"`
	Queued       int64             `json:"queued"`
	Scheduled    int64             `json:"scheduled"`
	Leased       int64             `json:"leased"`
	Dead         int64             `json:"dead"`
	Oldest       json.RawMessage   `json:"oldest_ms"`
	Running      int64             `json:"running"`
	Done         uint64            `json:"done"`
	Restarts     map[string]uint64 `json:"restarts,omitempty"`
}

func newPoolObject(p *broodv1.Pool, draining bool) poolObject {
	return poolObject{
		Name: p.GetName(), Plugin: p.GetPlugin(), Tasks: p.GetTasks(), Isolation: p.GetIsolation(),
		Workers: p.GetWorkers(), WorkersReady: p.GetWorkersReady(), Paused: p.GetPaused(), Draining: draining,
		Degraded: p.GetDegraded(), ReloadError: p.GetReloadError(),
		Queued: p.GetQueued(), Scheduled: p.GetScheduled(), Leased: p.GetLeased(), Dead: p.GetDead(),
		Oldest: appendMillis(nil, p.GetOldest().AsDuration()), Running: p.GetRunning(), Done: p.GetDone(), Restarts: p.GetRestarts(),
	}
}
