package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/brood-run/brood/supervisor/task"
)

func TestParseTaskLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "payload")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		in   string
		want task.Task
	}{
		{`{"payload":null}`, task.Task{Payload: []byte(`null`)}},
		{` { "payload" : { "a" : [1, "}\"\\" ] } , "id" : "x" } `, task.Task{ID: "x", Payload: []byte(`{ "a" : [1, "}\"\\" ] }`)}},
		{`{"payload":1e400,"task":"t"}`, task.Task{Name: "t", Payload: []byte(`1e400`)}},
		{`{"payload":"\ud800\u00e9"}`, task.Task{Payload: []byte(`"\ud800\u00e9"`)}},
		{`{"payload":""}`, task.Task{Payload: []byte(`""`)}},
		{`{"id":"\u00e9\"","payload":1}`, task.Task{ID: "é\"", Payload: []byte(`1`)}},
		{`{"payload_base64":"AAEC/w=="}`, task.Task{Payload: []byte{0, 1, 2, 255}}},
		{`{"payload_base64":""}`, task.Task{Payload: []byte{}}},
		{`{"payload_file":` + string(appendString(nil, file)) + `}`, task.Task{Payload: []byte("from a file")}},
		{
			`{"payload":1,"priority":-3,"soft_timeout":"1s","hard_timeout":"0s","max_attempts":1,"at_most_once":true,"expires":"1h","meta":{"k":"v"}}`,
			task.Task{Payload: []byte(`1`), Options: task.Options{
				Priority: -3, SoftTimeout: time.Second, HardTimeout: -1, MaxAttempts: 1, AtMostOnce: true,
				Expires: time.Hour, Meta: map[string]string{"k": "v"},
			}},
		},
	}
	for _, tt := range tests {
		got, err := parseTaskLine([]byte(tt.in), 1<<20)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.in, diff)
		}
	}
}

func TestParseTaskLineRejects(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		in, id, want string
	}{
		{`nope`, "", "not JSON"},
		{`{"payload":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `}`, "", "nested deeper than 10,000 levels"},
		{`[1]`, "", "expected a JSON object"},
		{`{"payload":1`, "", "not JSON"},
		{`{"id":"a","payload":}`, "a", "not JSON"},
		{`{"payload":1} {"payload":2}`, "", "not JSON"},
		{`{}`, "", "a payload is missing"},
		{`{"id":"a"}`, "a", "a payload is missing"},
		{`{"payload":1,"id":7}`, "", `id: expected a string, found "7"`},
		{`{"payload":1,"id":""}`, "", "id: expected some text"},
		{"{\"payload\":1,\"id\":\"\xff\"}", "", "id: expected UTF-8"},
		{`{"payload":1,"payload_base64":""}`, "", "not several"},
		{`{"payload":1,"payload":2}`, "", "payload is given twice"},
		{`{"payload":1,"nope":2,"id":"late"}`, "late", `unknown key "nope"`},
		{`{"payload_base64":"A"}`, "", "payload_base64: expected standard base64"},
		{`{"payload_file":"` + dir + `"}`, "", "is not a regular file"},
		{`{"payload_file":"` + dir + `/none"}`, "", "no such file"},
		{`{"payload":1,"hard_timeout":5}`, "", `hard_timeout: expected a string with a unit such as "30s", found "5"`},
		{`{"payload":1,"hard_timeout":"5"}`, "", `found "5"`},
		{`{"payload":1,"soft_timeout":"-5s"}`, "", `found "-5s"`},
		{`{"payload":1,"expires":"0s"}`, "", "above zero"},
		{`{"payload":1,"priority":1.5}`, "", "priority: expected a whole number"},
		{`{"payload":1,"priority":1001}`, "", "from -1000 to 1000"},
		{`{"payload":1,"max_attempts":0}`, "", "from 1 to 65535"},
		{`{"payload":1,"at_most_once":"yes"}`, "", "expected true or false"},
		{`{"payload":1,"meta":[]}`, "", "meta: expected an object of strings"},
		{`{"payload":1,"meta":{"k":1}}`, "", "meta: k: expected a string"},
	}
	for _, tt := range tests {
		got, err := parseTaskLine([]byte(tt.in), 1<<20)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.in, err, tt.want)
		}
		if got.ID != tt.id {
			t.Errorf("%s: id %q, want %q", tt.in, got.ID, tt.id)
		}
	}
}

func TestPayloadFileLimit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "payload")
	if err := os.WriteFile(file, make([]byte, 11), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readPayload(file, 10); err == nil || !strings.Contains(err.Error(), "11 bytes, the limit is 10") {
		t.Errorf("error %v", err)
	}
	if raw, err := readPayload(file, 11); err != nil || len(raw) != 11 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}

// FuzzParseTaskLine holds the parser against encoding/json: it accepts only what
// that accepts, and finds the same payload, byte for byte.
func FuzzParseTaskLine(f *testing.F) {
	for _, s := range []string{
		`{"payload":{"a":[1,2,{"b":"\"}"}]},"id":"x"}`, `{"payload_base64":"AA=="}`, `{"payload":1,"meta":{"a":"b"}}`,
		`{"id":"a","payload":`, `{`, `"`, `{"payload":"\\"}`, `{"payl\u006fad":1}`, ` {"payload" : [ ] } `,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Contains(text, []byte("_file")) {
			t.Skip("would read files")
		}
		before := bytes.Clone(text)
		got, err := parseTaskLine(text, 1<<20)
		if !bytes.Equal(before, text) {
			t.Fatal("the line was changed")
		}
		var reference map[string]json.RawMessage
		jsonErr := json.Unmarshal(text, &reference)
		if jsonErr != nil && err == nil {
			t.Fatalf("accepted what is not a JSON object: %v", jsonErr)
		}
		if err != nil {
			return
		}
		if raw, ok := reference["payload"]; ok && !bytes.Equal(raw, got.Payload) {
			t.Fatalf("payload %q, want %q", got.Payload, raw)
		}
		if raw, ok := reference["id"]; ok {
			var id string
			if err := json.Unmarshal(raw, &id); err != nil || id != got.ID {
				t.Fatalf("id %q, want %q (%v)", got.ID, id, err)
			}
		}
	})
}
