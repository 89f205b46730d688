package cli

import (
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/brood-run/brood/supervisor"
)

// chaosReport is what the tests read of a report.
type chaosReport struct {
	Seed      uint64         `json:"seed"`
	Tasks     int            `json:"tasks"`
	Kills     int            `json:"kills"`
	Workers   int            `json:"workers"`
	Survivors int            `json:"survivors"`
	Statuses  map[string]int `json:"statuses"`
	Strikes   []struct {
		Fault    string `json:"fault"`
		Count    int    `json:"count"`
		Recovery struct {
			P50 float64 `json:"p50_ms"`
		} `json:"recovery"`
	} `json:"strikes"`
	Interrupted bool `json:"interrupted"`
	Promises    []struct {
		Promise string `json:"promise"`
		Kept    bool   `json:"kept"`
	} `json:"promises"`
}

func newChaos(t *testing.T, args ...string) *brood {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("chaos needs Linux")
	}
	return newBrood(t, append([]string{"chaos"}, args...)...).env("BROOD_LOG_LEVEL=error")
}

func (b *brood) chaosReport() (r chaosReport) {
	b.t.Helper()
	if err := json.Unmarshal(b.stdout.Bytes(), &r); err != nil {
		b.t.Fatalf("%v\n%s", err, b.stdout.String())
	}
	return r
}

func TestE2EChaos(t *testing.T) {
	r := newChaos(t, "--plugin", "faulty", "--tasks", "3000", "--rate", "30/s", "--workers", "4", "--seed", "7", "--json").run(exitOK).chaosReport()
	if r.Seed != 7 || r.Tasks != 3000 || len(r.Promises) != 9 || r.Statuses["completed"] < 2900 || len(r.Strikes) < 3 {
		t.Errorf("%+v", r)
	}
	for _, p := range r.Promises {
		if !p.Kept {
			t.Errorf("broken: %s", p.Promise)
		}
	}
}

// A plugin that serves none of the faults is struck from outside.
func TestE2EChaosOfAnyPlugin(t *testing.T) {
	b := newChaos(t, "--plugin", "echo", "--duration", "1s", "--rate", "1200/m", "--workers", "2").run(exitOK)
	b.says(`not with this plugin: oom needs the task "leak"`)
	if out := b.stdout.String(); !strings.Contains(out, "kept  every task has exactly one result") || strings.Contains(out, "BROKEN") {
		t.Errorf("%s", out)
	}
}

func TestE2EChaosOfAPluginThatFails(t *testing.T) {
	newChaos(t, "--plugin", "faulty", "--task", "fail", "--payload", `{"message":"because"}`, "--max-attempts", "1").
		run(exitCannotRun).says("fails without any strike", "because")
}

func TestE2EChaosInterrupted(t *testing.T) {
	b := newChaos(t, "--plugin", "faulty", "--duration", "1h", "--workers", "2", "--faults", "kill", "--json", "--log-level", "debug").start()
	b.awaits("task t100 ")
	b.signal(syscall.SIGINT)
	if r := b.exit(exitInterrupted).chaosReport(); !r.Interrupted || r.Tasks < 100 {
		t.Errorf("%+v", r)
	}
}

func TestE2EChaosKillsTheSupervisor(t *testing.T) {
	r := newChaos(t, "--plugin", "faulty", "--supervisor-kill", "--kills", "3", "--workers", "2", "--seed", "7", "--json").run(exitOK).chaosReport()
	if r.Kills != 3 || r.Workers == 0 || len(r.Promises) != 3 {
		t.Errorf("%+v", r)
	}
}

func TestE2EChaosWrongUsage(t *testing.T) {
	for _, test := range []struct {
		says string
		args []string
	}{
		{"--plugin is required", nil},
		{"--faults: expected some of kill,segv,abrt", []string{"--plugin", "echo", "--faults", "kill,bite"}},
		{`--faults: not with this plugin: oom needs the task "leak"`, []string{"--plugin", "echo", "--faults", "kill,oom"}},
		{"--rate: expected strikes such as 50/s", []string{"--plugin", "echo", "--rate", "50/d"}},
		{"--seed: expected a whole number", []string{"--plugin", "echo", "--seed", "-1"}},
		{"--tasks: expected a whole number", []string{"--plugin", "echo", "--tasks", "0"}},
		{"there is no flag --output", []string{"--plugin", "echo", "--output", "x"}},
		{"arguments of the plugin go after --", []string{"--plugin", "echo", "x"}},
	} {
		newChaos(t, test.args...).run(exitUsage).says(test.says)
	}
}

// Nobody becomes a supervisor that is to be killed by a variable alone.
func TestE2EChaosRoleIsNotInherited(t *testing.T) {
	r := newChaos(t, "--plugin", "echo", "--tasks", "10", "--json").env("BROOD_CHAOS_SUPERVISOR=1").run(exitOK).chaosReport()
	if r.Tasks != 10 {
		t.Errorf("%+v", r)
	}
}

func TestCommandToRepeat(t *testing.T) {
	o := newChaosOptions()
	o.seed = 42
	for want, args := range map[string][]string{
		`brood chaos --seed 42 --plugin 'my plugin'`: {"brood", "chaos", "--plugin", "my plugin"},
		`brood chaos --plugin x --seed=42`:           {"brood", "chaos", "--plugin", "x", "--seed=42"},
		`brood chaos --seed 42 --payload 'it'\''s'`:  {"brood", "chaos", "--payload", "it's"},
	} {
		if got := o.again(args); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestE2EChaosAtEveryLevel(t *testing.T) {
	for _, level := range []string{"group", "cgroup", "pidns"} {
		t.Run(level, func(t *testing.T) {
			probe, err := supervisor.New(supervisor.Config{Pools: []supervisor.PoolConfig{{Plugin: "/bin/true", Isolation: supervisor.Isolation(level)}}})
			if err != nil {
				t.Fatal(err)
			}
			defer probe.Close()
			if err := probe.Start(); errors.Is(err, supervisor.ErrIsolation) {
				t.Skip(err)
			}
			probe.Close()
			b := newChaos(t, "--plugin", "faulty", "--supervisor-kill", "--kills", "2", "--isolation", level, "--json").run(exitOK)
			var r struct{ Isolation string }
			if err := json.Unmarshal(b.stdout.Bytes(), &r); err != nil || r.Isolation != level {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// Whoever tries a configuration out must get what it says.
func TestEverySettingOfWorkersIsKnownToChaosAndBench(t *testing.T) {
	has := func(groups []group, name string) bool {
		return slices.ContainsFunc(groups, func(g group) bool {
			return slices.ContainsFunc(g.settings, func(s setting) bool { return s.name == name })
		})
	}
	o := newOptions()
	for _, s := range slices.Concat(o.systemSettings(), o.confineSettings()) {
		if !has(newChaosOptions().groups(), s.name) {
			t.Errorf("chaos has no --%s", s.name)
		}
		if !has(newBenchOptions().groups(), s.name) {
			t.Errorf("bench has no --%s", s.name)
		}
	}
}
