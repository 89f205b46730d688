package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/brood-run/brood/supervisor/task"
)

func testIntake(defTask string, plain bool) *intake {
	return &intake{
		defTask: defTask, plain: plain, max: 1 << 20, seen: newSeen(),
		done: func(string) bool { return false },
	}
}

// feed passes text through an intake and returns what Map would get.
func feed(t interface{ Helper() }, in *intake, text string) (tasks []task.Task, errs []error) {
	t.Helper()
	in.blocks = newBlocks(strings.NewReader(text))
	in.tasks(func(t task.Task, err error) bool {
		tasks, errs = append(tasks, t), append(errs, err)
		return true
	})
	in.blocks.halt()
	return tasks, errs
}

func TestDeadLetter(t *testing.T) {
	tests := []struct {
		name, in, want string
		plain          bool
	}{
		{"id and task are added", `{"payload":{"a": 1}}`, `{"id":"line-1","task":"t","payload":{"a": 1}}`, false},
		{"what is there stays", ` {"task":"x", "id":"i","payload":1}`, `{"task":"x", "id":"i","payload":1}`, false},
		{"malformed", `{"payload":`, `{"payload":`, false},
		{"no object", `nope`, `nope`, false},
		{"plain", `a "b"`, `{"id":"line-1","task":"t","payload":"a \"b\""}`, true},
		{"plain, not UTF-8", "\xff", "\xff", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tasks, errs := feed(t, testIntake("t", tt.plain), tt.in)
			r := task.Result{Task: tasks[0], Status: task.Dead}
			if errs[0] != nil {
				r.Status, r.Err = task.Rejected, errs[0].(*task.Error)
			}
			if diff := cmp.Diff(tt.want+"\n", string(appendDeadLetter(nil, &r))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeadLetterRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := map[string]any{"payload": rapid.String().Draw(t, "payload")}
		optional := func(key string, v any) {
			if rapid.Bool().Draw(t, key) {
				fields[key] = v
			}
		}
		optional("id", rapid.StringN(1, 20, -1).Draw(t, "id value"))
		optional("task", rapid.StringN(1, 20, -1).Draw(t, "task value"))
		optional("hard_timeout", "5s")
		optional("max_attempts", rapid.IntRange(1, 65535).Draw(t, "attempts value"))
		optional("meta", rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "meta value"))
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		first, errs := feed(t, testIntake("default", false), string(text))
		if errs[0] != nil {
			t.Fatal(errs[0])
		}
		letter := appendDeadLetter(nil, &task.Result{Task: first[0], Status: task.Dead})
		// Another default and another line: the letter has to carry all it needs.
		second, errs := feed(t, testIntake("other", false), "\n"+string(letter))
		if errs[0] != nil {
			t.Fatalf("%v: %s", errs[0], letter)
		}
		first[0].Tag, second[0].Tag = nil, nil
		if diff := cmp.Diff(first[0], second[0]); diff != "" {
			t.Fatal(diff)
		}
	})
}
