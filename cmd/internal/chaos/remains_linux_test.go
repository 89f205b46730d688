package chaos

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor"
)

// left says what there is more than before.
func left(before possessions, mark string) (Remains, string) {
	r, evidence := compare(before, takeStock(supervisor.IsolationGroup), mark)
	return r, strings.Join(evidence, "\n")
}

func TestWhatIsLeftIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		leave func(t *testing.T)
		want  Remains
		says  string
	}{
		"nothing":   {func(*testing.T) {}, Remains{}, ""},
		"a process": {func(t *testing.T) { sleeper(t) }, Remains{Processes: 1, Files: 1}, "sleep 60"}, // with its handle
		"a file":    {func(t *testing.T) { openFile(t) }, Remains{Files: 1}, "/dev/null"},
		"a goroutine": {func(t *testing.T) {
			end := make(chan struct{})
			go func() { <-end }()
			t.Cleanup(func() { close(end) })
		}, Remains{Goroutines: 1}, "TestWhatIsLeftIsFound"},
		"a directory": {func(t *testing.T) {
			dir, err := os.MkdirTemp("", "plugin-dir")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Remove(dir) })
		}, Remains{Scratch: 1}, "plugin-dir"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			settle() // of the case before
			before := takeStock(supervisor.IsolationGroup)
			c.leave(t)
			r, evidence := left(before, "some-mark")
			if r != c.want || !strings.Contains(evidence, c.says) {
				t.Errorf("%+v, want %+v:\n%s", r, c.want, evidence)
			}
		})
	}
}

// settle waits until no goroutine is about to end.
func settle() {
	last, same := 0, 0
	eventually(patience, func() bool {
		n := runtime.NumGoroutine()
		if same++; n != last {
			last, same = n, 0
		}
		return same == 5
	})
}

func openFile(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
}

// sleeper starts a process that carries a mark and is a worker by name.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.Env = append(os.Environ(), ipc.EnvTree+"=mark/w-1", ipc.EnvWorker+"=w-1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

func TestMarkedProcessesAreFound(t *testing.T) {
	pid := sleeper(t).Process.Pid
	for mark, want := range map[string]int{"mark": 1, "mark/w-1": 1, "mark/w-2": 0, "other": 0} {
		got := marked(mark)
		if len(got) != want || want > 0 && got[0].pid != pid {
			t.Errorf("%s: %v", mark, got)
		}
	}
}

// A signal reaches the worker that is meant, and nobody whose number is the same.
func TestOnlyTheWorkerIsSignalled(t *testing.T) {
	cmd := sleeper(t)
	// Right after exec the kernel does not show a process's environment yet.
	eventually(patience, func() bool { return len(marked("mark")) == 1 })
	for _, wrong := range []struct{ name, mark string }{{"w-2", "mark"}, {"w-1", "other"}} {
		if err := send(&inmate{name: wrong.name, pid: cmd.Process.Pid}, wrong.mark, syscall.SIGKILL); err == nil {
			t.Errorf("%+v: the signal was sent", wrong)
		}
	}
	if awaitEnd(cmd.Process.Pid, 0) {
		t.Error("somebody else was hit")
	}
	if err := send(&inmate{name: "w-1", pid: cmd.Process.Pid}, "mark", syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if !awaitEnd(cmd.Process.Pid, 10_000) {
		t.Error("the worker was not hit")
	}
	_ = cmd.Wait() // it was killed
	if err := send(&inmate{name: "w-1", pid: cmd.Process.Pid}, "mark", syscall.SIGKILL); err == nil {
		t.Error("a signal was sent to who is gone")
	}
}
