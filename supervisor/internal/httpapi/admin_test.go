package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func TestPoolsAndWorkers(t *testing.T) {
	r := newRig(t, setup{})
	if err := r.supervisor.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	bury(t, r, 1)
	out, err := r.admin().ListPools(t.Context(), &broodv1.ListPoolsRequest{})
	if err != nil || len(out.GetPools()) != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	p := out.GetPools()[0]
	if p.GetName() != "faulty" || p.GetWorkers() != 2 || p.GetWorkersReady() == 0 || p.GetDead() != 1 || p.GetDone() != 1 || p.GetPaused() || out.GetDraining() || !strings.HasSuffix(p.GetPlugin(), "faulty") {
		t.Errorf("got %v", p)
	}
	workers, err := r.admin().ListWorkers(t.Context(), &broodv1.ListWorkersRequest{Pool: "faulty"})
	if err != nil || len(workers.GetWorkers()) != 2 || workers.GetWorkers()[0].GetPid()+workers.GetWorkers()[1].GetPid() == 0 { // one of them is ready
		t.Errorf("%v, %v", workers, err)
	}
	if _, err := r.admin().ListWorkers(t.Context(), &broodv1.ListWorkersRequest{Pool: "x"}); connect.CodeOf(err) != connect.CodeNotFound || !strings.Contains(err.Error(), "faulty") {
		t.Errorf("another pool: %v", err)
	}
}

func TestPauseAndResume(t *testing.T) {
	r := newRig(t, setup{})
	for _, paused := range []bool{true, false} {
		var err error
		if paused {
			_, err = r.admin().PausePool(t.Context(), &broodv1.PausePoolRequest{Pool: "faulty"})
		} else {
			_, err = r.admin().ResumePool(t.Context(), &broodv1.ResumePoolRequest{Pool: "faulty"})
		}
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.admin().ListPools(t.Context(), &broodv1.ListPoolsRequest{})
		if err != nil || out.GetPools()[0].GetPaused() != paused {
			t.Errorf("%v, %v", out, err)
		}
	}
	for pool, want := range map[string]connect.Code{"": connect.CodeInvalidArgument, "x": connect.CodeNotFound} {
		if _, err := r.admin().PausePool(t.Context(), &broodv1.PausePoolRequest{Pool: pool}); connect.CodeOf(err) != want {
			t.Errorf("%q: %v", pool, err)
		}
	}
}

func TestDrainAndUndo(t *testing.T) {
	r := newRig(t, setup{})
	if err := r.supervisor.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := watch(t, r, "task_started")
	id := submit(t, r.tasks(), &broodv1.SubmitRequest{Task: "sleep", Input: payload(`{"ms":300}`)})
	if !s.Receive() {
		t.Fatal(s.Err())
	}
	out, err := r.admin().Drain(t.Context(), &broodv1.DrainRequest{Timeout: durationpb.New(time.Millisecond)})
	if err != nil || out.GetRunning() != 1 {
		t.Errorf("%v, %v", out, err)
	}
	if got := r.send(t, http.MethodGet, "/readyz", ""); got.status != 503 || !strings.Contains(string(got.body), "draining") {
		t.Errorf("/readyz: %d %s", got.status, got.body)
	}
	if out, err = r.admin().Drain(t.Context(), &broodv1.DrainRequest{}); err != nil || out.GetRunning() != 0 {
		t.Errorf("%v, %v", out, err)
	}
	if got := wait(t, r.tasks(), id); got.GetState() != broodv1.TaskState_TASK_STATE_COMPLETED {
		t.Errorf("got %v", got)
	}
	if _, err := r.admin().Drain(t.Context(), &broodv1.DrainRequest{Undo: true}); err != nil {
		t.Error(err)
	}
	wait(t, r.tasks(), submit(t, r.tasks(), &broodv1.SubmitRequest{Task: "ok"}))
	if got := r.send(t, http.MethodGet, "/readyz", ""); got.status != 200 {
		t.Errorf("/readyz: %d %s", got.status, got.body)
	}
	if _, err := r.admin().Drain(t.Context(), &broodv1.DrainRequest{Timeout: durationpb.New(-1)}); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("negative: %v", err)
	}
}

func TestScaleRefusesWhatIsNoNumberOfWorkers(t *testing.T) {
	r := newRig(t, setup{idle: true})
	for _, n := range []int32{0, -1, 10_001} {
		if _, err := r.admin().ScalePool(t.Context(), &broodv1.ScalePoolRequest{Pool: "faulty", Workers: n}); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestReloadWithoutConfiguration(t *testing.T) {
	r := newRig(t, setup{idle: true})
	if _, err := r.admin().Reload(t.Context(), &broodv1.ReloadRequest{}); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("got %v", err)
	}
	r.api.cfg.Reload = func(context.Context) (Reloaded, error) {
		return Reloaded{Pools: []ReloadedPool{{"p", "rolled_back", "it did not start"}}, Restart: []string{"listen"}}, nil
	}
	out, err := r.admin().Reload(t.Context(), &broodv1.ReloadRequest{})
	if err != nil || len(out.GetRestart()) != 1 || len(out.GetPools()) != 1 || out.GetPools()[0].GetOutcome() != "rolled_back" {
		t.Errorf("%v, %v", out, err)
	}
	r.api.cfg.Reload = func(context.Context) (Reloaded, error) { return Reloaded{}, errors.New("brood.yaml:3: unknown key") }
	if _, err = r.admin().Reload(t.Context(), &broodv1.ReloadRequest{}); err == nil || !strings.Contains(err.Error(), "brood.yaml:3") {
		t.Errorf("got %v", err)
	}
}
