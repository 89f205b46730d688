package child

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// TestOutputPositions sends many printing tasks at once, so that they follow each
// other without a pause, and cuts the streams at the positions that came back.
func TestOutputPositions(t *testing.T) {
	const tasks = 200
	d := start(t, "default", 1)
	if d.board == nil {
		t.Skip("no shared pages here")
	}
	var frames []byte
	for i := range uint64(tasks) {
		name := "print"
		if i%7 == 0 {
			name = "echo" // prints nothing
		}
		frames = wire.AppendExecute(frames, &wire.Execute{Seq: i + 1, Name: name, Payload: fmt.Append(nil, i)})
	}
	d.send(frames)
	results := make([]wire.Result, tasks)
	for i := range results {
		results[i] = d.result(uint64(i+1), ipc.OutcomeCompleted)
	}
	d.in.Close()
	d.exit(exitClean)
	stdout, stderr := d.stdout.String(), d.stderr.String()
	outAt, errAt := uint64(strings.Index(stdout, "\n")+1), uint64(0)
	for i, r := range results {
		id := fmt.Sprint(i)
		wantOut, wantErr := "out "+id+"\n", ""
		if len(id)%2 == 0 {
			wantErr = "err " + id + "\n"
		}
		if i%7 == 0 {
			if r.Flags != 0 {
				t.Errorf("task %d printed nothing and has flags %d", i, r.Flags)
			}
			continue
		}
		if r.Flags&wire.ResultFlagOutput == 0 || r.StdoutEnd > uint64(len(stdout)) || r.StderrEnd > uint64(len(stderr)) {
			t.Fatalf("task %d: flags %d, ends %d and %d of %d and %d", i, r.Flags, r.StdoutEnd, r.StderrEnd, len(stdout), len(stderr))
		}
		if got := stdout[outAt:r.StdoutEnd]; got != wantOut {
			t.Errorf("task %d printed %q on stdout, want %q", i, got, wantOut)
		}
		if got := stderr[errAt:r.StderrEnd]; got != wantErr {
			t.Errorf("task %d printed %q on stderr, want %q", i, got, wantErr)
		}
		outAt, errAt = r.StdoutEnd, r.StderrEnd
	}
}

func TestBoardFollowsTasks(t *testing.T) {
	d := start(t, "default", 1)
	if d.board == nil {
		t.Skip("no shared pages here")
	}
	d.result(d.execute("print", "12"), ipc.OutcomeCompleted)
	d.execute("wait", "")
	d.execute("echo", "")
	d.expect(ipc.TypeProgress)
	seq, stdout, stderr, _, ok := d.board.Current()
	if !ok || seq != 2 || stdout != uint64(len("1|1|tcp|127.0.0.1:0|brood|\nout 12\n")) || stderr != uint64(len("err 12\n")) {
		t.Errorf("the board says %d, %d, %d, %v", seq, stdout, stderr, ok)
	}
	if got := d.board.Started(); got != 2 {
		t.Errorf("started %d, want 2: the third only waits", got)
	}
}

func TestBoardWithSlots(t *testing.T) {
	d := start(t, "default", 4)
	if d.board == nil {
		t.Skip("no shared pages here")
	}
	d.execute("print", "12")
	d.expect(ipc.TypeResult)
	for range 3 {
		d.execute("wait", "")
	}
	for range 3 {
		d.expect(ipc.TypeProgress)
	}
	if seq, stdout, stderr, cpu, ok := d.board.Current(); !ok || seq != 4 || stdout+stderr+cpu != 0 {
		t.Errorf("the board says %d, %d, %d, %d, %v", seq, stdout, stderr, cpu, ok)
	}
}

func TestLogProgressRecycle(t *testing.T) {
	d := start(t, "default", 1)
	id := d.execute("log", "7")
	if f := d.expect(ipc.TypeProgress); f.ID != id || string(f.Body) != `{"fraction":0.5,"message":"half"}` {
		t.Errorf("Progress of %d: %s", f.ID, f.Body)
	}
	if f := d.expect(ipc.TypeRecycle); string(f.Body) != `{"reason":"worn out"}` {
		t.Errorf("Recycle: %s", f.Body)
	}
	d.result(id, ipc.OutcomeCompleted)
	d.in.Close()
	d.exit(exitClean)
	var line map[string]any
	if err := json.Unmarshal([]byte(d.stderr.String()), &line); err != nil {
		t.Fatalf("stderr is not one JSON line: %v", err)
	}
	delete(line, "@timestamp")
	want := `map[@level:info @message:hello @module:tester attempt:1 correlation_id:id-7 key:value task:log]`
	if got := fmt.Sprint(line); got != want {
		t.Errorf("logged %s, want %s", got, want)
	}
}

func TestBeats(t *testing.T) {
	d := launch(t, "default", ipc.Hello{Slots: 1, MaxFrame: 1 << 20, HeartbeatMS: 1, LogLevel: "error"})
	d.expect(ipc.TypeReady)
	id := d.execute("wait", "")
	d.execute("echo", "")
	for {
		var b ipc.Beat
		f, err := d.out.Next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Type != ipc.TypeBeat {
			continue
		}
		if err := wire.DecodeControl(f, &b); err != nil || b.HeapBytes == 0 || b.Goroutines == 0 {
			t.Fatalf("beat %s: %v", f.Body, err)
		}
		if len(b.Running) == 1 && b.Running[0] == id && b.Queued == 1 {
			return
		}
	}
}
