package child

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

func drainFrame() []byte { return wire.AppendHeader(nil, ipc.TypeDrain, 0, 0, 0) }

func TestDrainFinishesQueueAndRunsStopHooks(t *testing.T) {
	d := start(t, "default", 1)
	running := d.execute("wait", "")
	d.expect(ipc.TypeProgress)
	last := d.execute("echo", "last")
	d.send(drainFrame())
	d.cancel(running, ipc.CauseShutdown)
	d.result(running, ipc.OutcomeCancelled)
	d.result(last, ipc.OutcomeCompleted)
	d.exit(exitClean)
	second, first := strings.Index(d.stderr.String(), `"hook":"second"`), strings.Index(d.stderr.String(), `"hook":"first"`)
	if second < 0 || first < second {
		t.Error("the stop hooks did not run, last added first")
	}
}

func TestEndOfFileEndsWorkerInTheMiddle(t *testing.T) {
	d := start(t, "default", 1)
	d.execute("wait", "")
	d.expect(ipc.TypeProgress)
	d.in.Close()
	d.exit(exitClean)
	if strings.Contains(d.stderr.String(), "stop hook") {
		t.Error("a stop hook ran without a supervisor")
	}
}

func TestEndOfFileEndsStartHook(t *testing.T) {
	d := launch(t, "stuck", ipc.Hello{Slots: 1, MaxFrame: 1 << 20})
	d.in.Close()
	d.exit(exitClean)
}

func TestLostResponsePipeEndsWorker(t *testing.T) {
	d := start(t, "default", 1)
	d.resp.Close()
	d.execute("echo", "")
	d.exit(exitClean)
}

func TestBadFramesEndWorker(t *testing.T) {
	for name, c := range map[string]struct {
		frame []byte
		says  string
	}{
		"unknown type":      {wire.AppendHeader(nil, 77, 0, 0, 0), "a worker cannot take a frame of type 77"},
		"its own type":      {wire.AppendHeader(nil, ipc.TypeBeat, 0, 0, 0), "a worker cannot take a frame of type 9"},
		"over the limit":    {wire.AppendHeader(nil, ipc.TypeExecute, 0, 1, 64<<10+1), "frame over the size limit"},
		"short Execute":     {wire.AppendHeader(nil, ipc.TypeExecute, 0, 1, 0), "Execute of 0 bytes"},
		"id 0":              {wire.AppendExecute(nil, &wire.Execute{}), "Execute 0 after 0"},
		"Cancel not JSON":   {append(wire.AppendHeader(nil, ipc.TypeCancel, 0, 1, 1), '{'), "malformed frame: type 5"},
		"task after Drain":  {append(drainFrame(), wire.AppendExecute(nil, &wire.Execute{Seq: 1, Name: "echo"})...), "Execute 1 after Drain"},
		"Hello once more":   {wire.AppendControl(nil, ipc.TypeHello, 0, 0, ipc.Hello{}), "a worker cannot take a frame of type 1"},
		"reserved not zero": {[]byte("\x00\x00\x00\x00\x0a\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "reserved bytes are not zero"},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, "default", 1)
			if name == "task after Drain" {
				d.execute("wait", "") // keeps the worker from leaving first
				d.expect(ipc.TypeProgress)
				c.frame = append(drainFrame(), wire.AppendExecute(nil, &wire.Execute{Seq: 2, Name: "echo"})...)
				c.says = "Execute 2 after Drain"
			}
			d.send(c.frame)
			d.exit(exitProblem)
			d.wantStderr(c.says)
		})
	}
}

func TestIgnorableFrameIsSkipped(t *testing.T) {
	d := start(t, "default", 1)
	d.send(wire.AppendFrame(nil, wire.Frame{Type: 77, Flags: ipc.FlagIgnorable, ID: 5, Body: []byte("from the future")}))
	d.result(d.execute("echo", ""), ipc.OutcomeCompleted)
}

func TestBadHello(t *testing.T) {
	for says, hello := range map[string]ipc.Hello{
		"Hello with 0 slots":          {MaxFrame: 1 << 20},
		"Hello with max_frame 1, not": {Slots: 1, MaxFrame: 1},
		"Hello with heartbeat_ms -1":  {Slots: 1, MaxFrame: 1 << 20, HeartbeatMS: -1},
	} {
		d := launch(t, "default", hello)
		d.exit(exitProblem)
		d.wantStderr(says)
	}
}

func TestDieOnPanicCrashesLikeAnyGoProgram(t *testing.T) {
	d := start(t, "crash", 1)
	d.execute("panic", "")
	d.exit(2)
	d.wantStderr("panic: boom", "goroutine ", "testPlugin")
	if d.board != nil && d.board.Started() != 1 {
		t.Errorf("the board says that task %d was started last, want 1", d.board.Started())
	}
}

func TestFailedStartHook(t *testing.T) {
	d := launch(t, "unstartable", ipc.Hello{Slots: 1, MaxFrame: 1 << 20})
	var ready ipc.Ready
	if err := wire.DecodeControl(d.expect(ipc.TypeReady), &ready); err != nil || ready.Error != "no database" {
		t.Errorf("Ready.Error is %q (%v)", ready.Error, err)
	}
	d.exit(exitStart)
}

func TestOrphanLeaves(t *testing.T) {
	d := launch(t, "default", ipc.Hello{Slots: 1, MaxFrame: 1 << 20}, ipc.EnvSupervisor+"=1")
	d.exit(exitClean)
	if got := d.stdout.String(); got != "" {
		t.Errorf("it still said %q", got)
	}
}

func TestOrphaned(t *testing.T) {
	for _, c := range []struct {
		supervisor string
		parent     int
		want       bool
	}{{"", 7, false}, {"0", 7, false}, {"7", 7, false}, {"7", 1, true}} {
		if got := orphaned(c.supervisor, c.parent); got != c.want {
			t.Errorf("orphaned(%q, %d) is %v", c.supervisor, c.parent, got)
		}
	}
}

func TestInterruptIsTheSupervisorsBusiness(t *testing.T) {
	d := start(t, "default", 1)
	d.cmd.Process.Signal(syscall.SIGINT)
	d.result(d.execute("echo", ""), ipc.OutcomeCompleted)
	d.cmd.Process.Signal(syscall.SIGTERM)
	d.exit(-1)
	if sig := d.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal(); sig != syscall.SIGTERM {
		t.Errorf("ended by %v, want SIGTERM", sig)
	}
}

// That a worker survives a signal must not be inherited by what its handlers start.
func TestInterruptStillEndsWhatAHandlerStarts(t *testing.T) {
	d := start(t, "default", 1)
	res := d.result(d.execute("interruptible", ""), ipc.OutcomeError)
	if got := string(res.Message); got != "signal: interrupt" {
		t.Errorf("its command ended with %q", got)
	}
}

func TestRunByHand(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}} {
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), envPlugin+"=sole", ipc.CookieKey+"=")
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != exitProblem {
			t.Errorf("ended with %v, want exit code %d", err, exitProblem)
		}
		for _, want := range []string{"tester 0.1 is a brood plugin", "Tasks it serves: echo\n", fmt.Sprintf("brood run --plugin %s 'a", os.Args[0])} {
			if !strings.Contains(string(out), want) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
	}
}
