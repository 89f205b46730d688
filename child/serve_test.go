package child

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

func TestOutcomes(t *testing.T) {
	d := start(t, "default", 1)
	for _, c := range []struct {
		task, payload string
		outcome       ipc.Outcome
		want          string // in the payload or the message
	}{
		{"echo", "hello", ipc.OutcomeCompleted, "hello"},
		{"echo", "", ipc.OutcomeCompleted, ""},
		{"double", "21", ipc.OutcomeCompleted, "42"},
		{"double", "", ipc.OutcomeCompleted, "0"},
		{"double", `"x"`, ipc.OutcomePermanent, "payload does not decode into int"},
		{"fail", "", ipc.OutcomeError, "it failed"},
		{"panic", "", ipc.OutcomePanic, "boom"},
		{"goexit", "", ipc.OutcomePanic, "runtime.Goexit"},
		{"nosuch", "", ipc.OutcomeUnknown, `plugin tester does not serve "nosuch"; it serves: big, cloexec, double, echo`},
		{"", "", ipc.OutcomeUnknown, "the task has no name, and plugin tester serves several: big"},
		{"big", "", ipc.OutcomePermanent, "result of 102448 bytes is over the limit of 65536"},
		{"cloexec", "", ipc.OutcomeCompleted, ""},
		{"echo", "still here", ipc.OutcomeCompleted, "still here"},
	} {
		r := d.result(d.execute(c.task, c.payload), c.outcome)
		got := string(r.Payload) + string(r.Message)
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s(%s) = %q, want %q", c.task, c.payload, got, c.want)
		}
		if c.task == "panic" && !strings.Contains(string(r.Stack), "testPlugin") {
			t.Errorf("the stack does not show the handler:\n%s", r.Stack)
		}
	}
}

func TestReady(t *testing.T) {
	d := launch(t, "sole", ipc.Hello{Worker: "w1", Slots: 1, MaxFrame: 1 << 20})
	var ready ipc.Ready
	if err := wire.DecodeControl(d.expect(ipc.TypeReady), &ready); err != nil {
		t.Fatal(err)
	}
	printed := uint64(0)
	if d.board != nil {
		printed = uint64(len("1|1|tcp|127.0.0.1:0|brood|\n"))
	}
	want := ipc.Ready{
		Plugin: "tester", Version: "0.1", SDK: "brood-go/1.0", Wire: 1,
		Tasks: []string{"echo"}, Scoreboard: d.board != nil, StdoutStart: printed, Template: true,
	}
	if diff := cmp.Diff(want, ready); diff != "" {
		t.Errorf("Ready (-want +got):\n%s", diff)
	}
	d.result(d.execute("", "the only handler"), ipc.OutcomeCompleted)
	d.in.Close()
	d.exit(exitClean)
	if got, want := d.stdout.String(), "1|1|tcp|127.0.0.1:0|brood|\n"; got != want {
		t.Errorf("stdout is %q, want the handshake line %q", got, want)
	}
}

func TestTaskInfo(t *testing.T) {
	d := start(t, "default", 1)
	d.send(wire.AppendExecute(nil, &wire.Execute{
		Seq: 1, Attempt: 2, MaxAttempts: 5, SoftTimeout: 1500, HardTimeout: 3000,
		Name: "info", TaskID: "t-1", Meta: []byte(`{"trace":"abc"}`),
	}))
	r := d.result(1, ipc.OutcomeCompleted)
	var got Info
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if s, want := fmt.Sprint(got), "{t-1 info 2 5 map[trace:abc] w1 1.5s 3s}"; s != want {
		t.Errorf("TaskInfo is %s, want %s", s, want)
	}
}

func TestCancelRunning(t *testing.T) {
	d := start(t, "default", 1)
	for _, c := range []struct {
		payload string
		cause   ipc.Cause
		outcome ipc.Outcome
		text    string
	}{
		{"", ipc.CauseSoftTimeout, ipc.OutcomeCancelled, "soft timeout"},
		{"", ipc.CauseCancelled, ipc.OutcomeCancelled, "task cancelled"},
		{"", ipc.CauseShutdown, ipc.OutcomeCancelled, "worker shuts down"},
		{"answer", ipc.CauseSoftTimeout, ipc.OutcomeCompleted, "soft timeout"},
		{"permanent", ipc.CauseSoftTimeout, ipc.OutcomePermanent, "soft timeout"},
	} {
		id := d.execute("wait", c.payload)
		d.expect(ipc.TypeProgress) // it runs
		d.cancel(id, c.cause)
		r := d.result(id, c.outcome)
		if got := string(r.Message) + string(r.Payload); got != c.text {
			t.Errorf("%q cancelled by %s says %q, want %q", c.payload, c.cause, got, c.text)
		}
	}
}

func TestCancelAndRecallWaiting(t *testing.T) {
	d := start(t, "default", 1)
	running := d.execute("wait", "")
	d.expect(ipc.TypeProgress)
	for range 4 { // 2, 3, 4, 5
		d.execute("echo", "x")
	}
	d.cancel(3, ipc.CauseCancelled)
	d.result(3, ipc.OutcomeUnstarted)
	d.cancel(3, ipc.CauseCancelled)  // answered already
	d.cancel(99, ipc.CauseCancelled) // never seen
	d.send(wire.AppendHeader(nil, ipc.TypeRecall, 0, 4, 0))
	f := d.expect(ipc.TypeRecalled)
	ids, err := wire.DecodeIDs(f.Body)
	if err != nil || f.ID != 4 || fmt.Sprint(ids) != "[4 5]" {
		t.Errorf("Recalled %d: %v (%v), want 4: [4 5]", f.ID, ids, err)
	}
	d.send(wire.AppendHeader(nil, ipc.TypeRecall, 0, 4, 0))
	if f := d.expect(ipc.TypeRecalled); len(f.Body) != 0 {
		t.Errorf("recalled twice: %v", f.Body)
	}
	d.cancel(running, ipc.CauseCancelled)
	d.result(running, ipc.OutcomeCancelled)
	d.result(2, ipc.OutcomeCompleted)
}

func TestSlotsRunAtOnce(t *testing.T) {
	d := start(t, "default", 4)
	seen := map[uint64]bool{}
	for range 4 {
		d.execute("meet", "")
	}
	for range 4 {
		r, err := wire.DecodeResult(d.expect(ipc.TypeResult))
		if err != nil || r.Outcome != ipc.OutcomeCompleted {
			t.Fatalf("result %+v, %v", r, err)
		}
		seen[r.Seq] = true
	}
	if len(seen) != 4 {
		t.Errorf("answered %v", seen)
	}
}
