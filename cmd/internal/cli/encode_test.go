package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/brood-run/brood/supervisor/task"
)

func TestAppendResult(t *testing.T) {
	tests := []struct {
		name string
		in   task.Result
		want string
	}{
		{
			"completed", task.Result{Task: task.Task{ID: "a", Name: "echo"}, Status: task.Completed, Payload: []byte(`{"x": 1.50}`), Queued: 1500 * time.Nanosecond, Run: 2 * time.Second},
			`{"id":"a","task":"echo","status":"completed","result":{"x": 1.50},"queued_ms":0.001,"run_ms":2000}`,
		},
		{
			"not escaped", task.Result{Task: task.Task{ID: "<&>é"}, Status: task.Completed, Payload: []byte(`"<&>"`)},
			`{"id":"<&>é","task":"","status":"completed","result":"<&>","queued_ms":0,"run_ms":0}`,
		},
		{
			"one line", task.Result{Task: task.Task{ID: "a"}, Status: task.Completed, Payload: []byte("{\n \"x\":\r\n 1}\n")},
			`{"id":"a","task":"","status":"completed","result":{"x":1},"queued_ms":0,"run_ms":0}`,
		},
		{
			"nothing", task.Result{Task: task.Task{ID: "a"}, Status: task.Completed},
			`{"id":"a","task":"","status":"completed","result_base64":"","queued_ms":0,"run_ms":0}`,
		},
		{
			"bytes", task.Result{Task: task.Task{ID: "a"}, Status: task.Completed, Payload: []byte{0xff}},
			`{"id":"a","task":"","status":"completed","result_base64":"/w==","queued_ms":0,"run_ms":0}`,
		},
		{
			"bytes in a JSON string", task.Result{Task: task.Task{ID: "a"}, Status: task.Completed, Payload: []byte("\"\xff\"")},
			`{"id":"a","task":"","status":"completed","result_base64":"Iv8i","queued_ms":0,"run_ms":0}`,
		},
		{
			"dead", task.Result{
				Task: task.Task{ID: "a", Name: "t"}, Status: task.Dead, Err: &task.Error{Kind: "crashed", Message: `"boom"`},
				Attempts: []task.Attempt{
					{N: 1, Worker: "w-1", PID: 7, Outcome: task.OutcomeCrashed, Signal: "SIGSEGV", ExitCode: -1, PeakRSS: 9, CPU: time.Millisecond, OutputTail: "x\n", Stack: "s"},
					{N: 2, Worker: "w-2", PID: 8, Outcome: task.OutcomeCrashed, Message: "exit", ExitCode: 0},
				},
			},
			`{"id":"a","task":"t","status":"dead","error":{"kind":"crashed","message":"\"boom\""},"attempts":[` +
				`{"n":1,"worker":"w-1","pid":7,"outcome":"crashed","signal":"SIGSEGV","peak_rss":9,"cpu_ms":1,"run_ms":0,"output_tail":"x\n","stack":"s"},` +
				`{"n":2,"worker":"w-2","pid":8,"outcome":"crashed","message":"exit","exit_code":0,"cpu_ms":0,"run_ms":0}],"queued_ms":0,"run_ms":0}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(appendResult([]byte("before "), &tt.in))
			if diff := cmp.Diff("before "+tt.want+"\n", got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// resultLine is a result line as a reader in another language would see it.
type resultLine struct {
	ID       string          `json:"id"`
	Task     string          `json:"task"`
	Status   string          `json:"status"`
	Result   json.RawMessage `json:"result"`
	Base64   *string         `json:"result_base64"`
	Error    *task.Error     `json:"error"`
	Attempts []attemptLine   `json:"attempts"`
	QueuedMS float64         `json:"queued_ms"`
	RunMS    float64         `json:"run_ms"`
}

func TestResultRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := task.Result{
			Task:   task.Task{ID: rapid.String().Draw(t, "id"), Name: rapid.String().Draw(t, "name")},
			Status: task.Completed,
			Payload: rapid.OneOf(
				rapid.SliceOf(rapid.Byte()),
				rapid.Map(rapid.String(), func(s string) []byte { return appendString(nil, s) }),
				rapid.Map(rapid.Float64(), func(f float64) []byte { b, _ := json.Marshal(f); return b }),
			).Draw(t, "payload"),
			Queued: time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "queued")),
		}
		text := appendResult(nil, &in)
		if bytes.Count(text, []byte("\n")) != 1 || !utf8.Valid(text) {
			t.Fatalf("not one line of UTF-8: %q", text)
		}
		var out resultLine
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&out); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		payload := []byte(out.Result)
		if out.Base64 != nil {
			payload, _ = base64.StdEncoding.DecodeString(*out.Base64)
		}
		if out.ID != in.Task.ID || out.Task != in.Task.Name || out.Status != "completed" || !sameJSON(payload, in.Payload) {
			t.Fatalf("%+v became %s", in, text)
		}
		if got := out.QueuedMS * 1000; math.Abs(got-float64(in.Queued.Microseconds())) > got*1e-12+0.01 {
			t.Fatalf("queued %v became %v ms", in.Queued, out.QueuedMS)
		}
	})
}

// sameJSON says whether two payloads are equal but for white space around a JSON value.
func sameJSON(a, b []byte) bool {
	if json.Valid(b) && utf8.Valid(b) {
		a, b = bytes.TrimSpace(a), bytes.TrimSpace(b)
	}
	return bytes.Equal(a, b)
}
