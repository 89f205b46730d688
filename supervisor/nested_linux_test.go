package supervisor_test

import (
	"testing"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor"
)

// A supervisor may itself run in a worker, whose variables its own workers must not take for theirs.
func TestWorkersOfASupervisorInAWorker(t *testing.T) {
	t.Setenv(ipc.EnvSupervisor, "1")
	t.Setenv(ipc.EnvWorker, "above-1")
	t.Setenv(ipc.EnvTree, "above-1")
	adopting(t)
	cfg := faulty(supervisor.PoolConfig{Workers: 1})
	cfg.ReapOrphans = true
	s := ready(t, cfg)
	orphan := pidOf(t, run(t, s, "grandchild", `{"setsid":true}`))
	if s.Close(); alive(orphan) {
		kill(t, orphan)
		t.Error("what a worker has started outlived the supervisor")
	}
}

// What a pool's configuration says of a variable counts, also if there is one of that name.
func TestEnvOfAPoolReplacesInheritedVariables(t *testing.T) {
	t.Setenv("FAULTY_START", "exit")
	ready(t, faulty(supervisor.PoolConfig{Workers: 1, Env: []string{"FAULTY_START="}}))
}
