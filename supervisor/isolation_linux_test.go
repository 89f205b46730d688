package supervisor_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor"
)

// levels are those with a name of their own.
func levels() []supervisor.Isolation {
	return []supervisor.Isolation{supervisor.IsolationGroup, supervisor.IsolationCgroup, supervisor.IsolationPIDNS}
}

// isolated is a supervisor at a level that adopts orphans.
func isolated(t testing.TB, cfg supervisor.Config, level supervisor.Isolation) *supervisor.Supervisor {
	t.Helper()
	cfg.ReapOrphans = true
	adopting(t)
	return permitted(t, cfg, level)
}

// permitted starts a supervisor at a level, or skips the test where that cannot be had.
func permitted(t testing.TB, cfg supervisor.Config, level supervisor.Isolation) *supervisor.Supervisor {
	t.Helper()
	cfg.Pools[0].Isolation = level
	s := create(t, cfg)
	if err := s.Start(); errors.Is(err, supervisor.ErrIsolation) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := s.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// newMark is a variable by which a process and its descendants are found from outside, whatever
// namespace they are in.
func newMark() string { return "BROOD_TEST_MARK=" + rand.Text() }

// descended finds the living and the dead of a mark.
func descended(t testing.TB, mark string) []int {
	t.Helper()
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, path := range environs {
		if env, err := os.ReadFile(path); err == nil && bytes.Contains(env, []byte(mark)) {
			var pid int
			fmt.Sscanf(path, "/proc/%d/", &pid)
			found = append(found, pid)
		}
	}
	return found
}

// Whichever way a worker ends, what it has started ends with it, setsid or not.
func TestDescendantsEndWithTheirWorker(t *testing.T) {
	for _, level := range levels() {
		for _, end := range []string{"exit", "signal", "badframe"} {
			t.Run(fmt.Sprintf("%s/%s", level, end), func(t *testing.T) {
				if end == "signal" {
					needsOwnSignals(t, level)
				}
				mark := newMark()
				s := isolated(t, faulty(supervisor.PoolConfig{Workers: 1, MaxAttempts: 1, Env: []string{mark}}), level)
				for _, setsid := range []bool{false, true} {
					completed(t, run(t, s, "grandchild", fmt.Sprintf(`{"setsid":%v,"ms":600000}`, setsid)))
				}
				before := descended(t, mark)
				if len(before) != 3 {
					t.Fatalf("%d processes, want a worker and its two children", len(before))
				}
				run(t, s, end, "")
				for _, pid := range before {
					if alive(pid) {
						t.Errorf("process %d outlives its worker", pid)
					}
				}
			})
		}
	}
}

func needsOwnSignals(t testing.TB, level supervisor.Isolation) {
	t.Helper()
	if level == supervisor.IsolationPIDNS && os.Geteuid() != 0 {
		t.Skip("in a user namespace a worker is the first process and immune to its own signals")
	}
}

// What a worker did to itself is known at every level.
func TestSignalsAreKnownAtEveryLevel(t *testing.T) {
	for _, level := range levels() {
		t.Run(string(level), func(t *testing.T) {
			needsOwnSignals(t, level)
			s := isolated(t, faulty(supervisor.PoolConfig{Workers: 1, MaxAttempts: 1}), level)
			for _, signal := range []string{"KILL", "SEGV", "TERM"} {
				r := run(t, s, "signal", fmt.Sprintf(`{"signal":%q}`, signal))
				if len(r.Attempts) != 1 || r.Attempts[0].Signal != "SIG"+signal {
					t.Errorf("%s: got %+v", signal, r.Attempts)
				}
			}
		})
	}
}

const isolationKey = "BROOD_TEST_ISOLATION"

// playIsolated runs two workers at a level of isolation with a grandchild each, and waits to be killed.
func playIsolated() bool {
	level := os.Getenv(isolationKey)
	if level == "" {
		return false
	}
	os.Unsetenv(isolationKey)
	s, err := supervisor.New(supervisor.Config{ReapOrphans: true, Pools: []supervisor.PoolConfig{{
		Plugin: os.Getenv(playKey), Workers: 2, Window: 1, Isolation: supervisor.Isolation(level),
	}}})
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		fmt.Println(err)
		return true
	}
	for range 2 {
		h, err := s.TrySubmit(work("grandchild", `{"setsid":true,"ms":600000}`))
		if err != nil {
			panic(err)
		}
		<-h.Done()
	}
	fmt.Println("up")
	select {}
}

// A supervisor that is killed cannot clean up. What is left then, and after the next start?
func TestWhatAKilledSupervisorLeaves(t *testing.T) {
	for _, level := range levels() {
		t.Run(string(level), func(t *testing.T) {
			mark := newMark()
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), isolationKey+"="+string(level), playKey+"="+plugin("faulty"), mark)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			said := make([]byte, 1000)
			n, err := out.Read(said)
			if text := strings.TrimSpace(string(said[:n])); err != nil || text != "up" {
				_ = cmd.Wait() // it has ended by itself
				t.Skip(text, err)
			}
			_ = cmd.Process.Kill() // it lives
			_ = cmd.Wait()         // it was killed
			switch level {
			case supervisor.IsolationGroup:
				// The workers end, the grandchildren live on.
				eventually(t, "only grandchildren are left", func() bool { return len(descended(t, mark)) == 2 })
				for _, pid := range descended(t, mark) {
					kill(t, pid)
				}
			case supervisor.IsolationCgroup:
				isolated(t, faulty(supervisor.PoolConfig{Workers: 1}), level)
			}
			eventually(t, "nothing is left", func() bool { return len(descended(t, mark)) == 0 })
		})
	}
}

func TestAutoTakesTheStrongestLevelAndSaysWhy(t *testing.T) {
	var log bytes.Buffer
	cfg := faulty(supervisor.PoolConfig{Workers: 1})
	cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Info})
	s := isolated(t, cfg, supervisor.IsolationAuto)
	level := s.Snapshot().Pools[0].Isolation
	s.Close()
	if line := "level=" + string(level); level == supervisor.IsolationAuto || !strings.Contains(log.String(), line) || !strings.Contains(log.String(), "why=") {
		t.Errorf("level %s, log: %s", level, log.String())
	}
}

func TestUnknownLevelIsRefused(t *testing.T) {
	cfg := faulty(supervisor.PoolConfig{Isolation: "jail"})
	if _, err := supervisor.New(cfg); !errors.Is(err, supervisor.ErrConfig) || !strings.Contains(err.Error(), `"jail"`) {
		t.Errorf("got %v", err)
	}
}
