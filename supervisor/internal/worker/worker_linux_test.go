package worker

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/brood-run/brood/ipc"
)

// The first reason given is the one recorded, with how the process ended.
func TestWhyAWorkerEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(r *rig)
		reason Reason
		signal string
		code   int
	}{
		"told to":             {func(r *rig) { r.w.Stop(ReasonTTL); r.w.Kill(ReasonShutdown, nil) }, ReasonTTL, "SIGKILL", -1},
		"asked to leave":      {func(r *rig) { r.w.Stop(ReasonIdle) }, ReasonIdle, "", 0},
		"killed by us":        {func(r *rig) { r.w.Kill(ReasonHardMemory, nil) }, ReasonHardMemory, "SIGKILL", -1},
		"killed by others":    {func(r *rig) { _ = syscall.Kill(r.w.PID(), syscall.SIGKILL) }, ReasonSignal, "SIGKILL", -1},
		"exits with a code":   {func(r *rig) { r.do("exit", `{"code":3}`) }, ReasonExitCode, "", 3},
		"exits cleanly":       {func(r *rig) { r.do("exit", `{"code":0}`) }, ReasonClean, "", 0},
		"dies of a signal":    {func(r *rig) { r.do("signal", `{"signal":"ABRT"}`) }, ReasonSignal, "SIGABRT", -1},
		"breaks the protocol": {func(r *rig) { r.do("badframe", "") }, ReasonBadFrame, "SIGKILL", -1},
	} {
		t.Run(name, func(t *testing.T) {
			r := up(t, nil)
			c.end(r)
			e := <-r.exit
			<-r.w.Done()
			if e.Reason != c.reason || e.Process.Signal != c.signal && name != "told to" || e.Process.Code != c.code && name != "told to" {
				t.Errorf("%v: %v, want %v, %q, %d", e.Reason, e.Process, c.reason, c.signal, c.code)
			}
			if !e.Ready || e.PID == 0 || e.PeakRSS == 0 || r.w.State() != StateExited {
				t.Errorf("got %+v", e)
			}
			if err := syscall.Kill(e.PID, 0); err != syscall.ESRCH {
				t.Errorf("process %d was not reaped: %v", e.PID, err)
			}
		})
	}
}

// A process that does not print its stacks is killed all the same, however often it
// is asked. One that beats is left alone, wherever it does.
func TestStoppedProcessIsKilledAfterItsDump(t *testing.T) {
	const heartbeat, missed = 50 * time.Millisecond, 4
	for name, frames := range map[string]bool{"beats on the scoreboard": false, "beats in frames": true} {
		t.Run(name, func(t *testing.T) {
			r := up(t, func(c *Config) {
				c.Heartbeat, c.Missed = heartbeat, missed
				if frames {
					c.Path, c.Env = os.Args[0], []string{envFrames + "=1"}
				}
			})
			select {
			case e := <-r.exit:
				t.Fatalf("ended while it beat: %v", e)
			case <-time.After(3 * missed * heartbeat):
			}
			if beats := r.w.pipes.board.Beats(); (beats == 0) != frames {
				t.Errorf("%d beats on the scoreboard", beats)
			}
			if err := syscall.Kill(r.w.PID(), syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			select {
			case e := <-r.exit:
				if e.Reason != ReasonHeartbeatLost || e.Process.Signal != "SIGKILL" {
					t.Errorf("%v: %v", e.Reason, e.Process)
				}
			case <-time.After(10 * time.Second):
				t.Error("it was not killed")
			}
		})
	}
}

func TestDumpBringsTheStacks(t *testing.T) {
	r := up(t, nil)
	seq := r.do("hang", "")
	for started := uint64(0); started < seq; { // the worker notes what it enters
		started = r.w.pipes.board.Started()
	}
	r.w.Dump(ReasonHardTimeout, seq, nil)
	e := <-r.exit
	if e.Reason != ReasonHardTimeout || e.Culprit != seq || e.Started != seq || !e.StartedKnown {
		t.Errorf("got %+v", e)
	}
	if !strings.Contains(e.Stack, "goroutine ") {
		t.Errorf("stack: %q", e.Stack)
	}
}

// The scoreboard tells how far a dead worker had come, whatever is in its pipe.
func TestExitSaysWhatHadStarted(t *testing.T) {
	r := up(t, nil)
	r.do("ok", "")
	dies := r.do("exit", "")
	r.do("ok", "")
	r.do("ok", "")
	if e := <-r.exit; !e.StartedKnown || e.Started != dies {
		t.Errorf("started %d (known: %v), want %d", e.Started, e.StartedKnown, dies)
	}
	if a := <-r.results; a.Seq != 1 || a.Outcome != ipc.OutcomeCompleted {
		t.Errorf("got %+v", a)
	}
}

func TestGrandchildIsKilledWithItsWorker(t *testing.T) {
	r := up(t, nil)
	r.do("grandchild", `{"ms":600000}`)
	a := <-r.results
	pid := 0
	for _, c := range string(a.Payload) {
		if c >= '0' && c <= '9' {
			pid = 10*pid + int(c-'0')
		}
	}
	r.w.Kill(ReasonShutdown, nil)
	<-r.w.Done()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for late := time.After(5 * time.Second); ; {
		b, err := os.ReadFile("/proc/" + string(a.Payload[len(`{"pid":`):len(a.Payload)-1]) + "/stat")
		if err != nil || strings.Contains(string(b), ") Z ") {
			return // nobody's business any more
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("process %d lives", pid)
		}
	}
}

// A descendant that holds the pipes open keeps nobody waiting.
func TestOutputOfADeadWorkerIsReadToItsEnd(t *testing.T) {
	r := up(t, nil)
	r.do("print", `{"stdout":"last words","lines":100}`)
	r.do("exit", "")
	e := <-r.exit
	a := <-r.results
	if a.Outcome != ipc.OutcomeCompleted || e.Reason != ReasonExitCode {
		t.Errorf("got %+v, %v", a, e)
	}
}

func TestStartFailures(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		reason Reason
		want   string
	}{
		"missing": {func(c *Config) { c.Path = "/no/such/plugin" }, ReasonStartFailed, "/no/such/plugin"},
		"exits":   {func(c *Config) { c.Env = []string{"FAULTY_START=exit"} }, ReasonStartFailed, "exit code 7"},
		"garbage": {func(c *Config) { c.Env = []string{"FAULTY_START=garbage"} }, ReasonStartFailed, "this is not the line"},
		"hangs": {func(c *Config) { c.Env, c.StartTimeout = []string{"FAULTY_START=hang"}, 100*time.Millisecond },
			ReasonStartTimeout, "did not become ready within 100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			r := launch(t, c.change)
			e := <-r.exit
			<-r.w.Done()
			if e.Ready || e.Reason != c.reason || e.Err == nil || !strings.Contains(e.Err.Error(), c.want) {
				t.Errorf("%v, %v; want it to say %q", e.Reason, e.Err, c.want)
			}
		})
	}
}

// A worker that is told to go before it has come goes.
func TestStopBeforeReady(t *testing.T) {
	for name, end := range map[string]func(w *Worker){
		"stop": func(w *Worker) { w.Stop(ReasonShutdown) },
		"kill": func(w *Worker) { w.Kill(ReasonShutdown, nil) },
		"dump": func(w *Worker) { w.Dump(ReasonShutdown, 0, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			r := launch(t, func(c *Config) { c.Env = []string{"FAULTY_START=hang"} })
			end(r.w)
			select {
			case e := <-r.exit:
				if e.Reason != ReasonShutdown {
					t.Errorf("ended for %v", e.Reason)
				}
			case <-time.After(5 * time.Second):
				t.Error("it stays")
			}
		})
	}
}
