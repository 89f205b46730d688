package cli

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/brood-run/brood/supervisor/task"
)

func TestIntakeNamesTasks(t *testing.T) {
	in := testIntake("", false)
	tasks, errs := feed(t, in, strings.Join([]string{
		`{"payload":1}`, ``, `{"id":"line-4","payload":1}`, `{"payload":1}`, `broken`, `{"id":"line-5","payload":1}`, `{"id":"line-1","payload":1}`,
	}, "\n"))
	var got []string
	for i, task := range tasks {
		s := task.ID
		if errs[i] != nil {
			s += ": " + firstLine(strings.SplitAfterN(errs[i].Error(), ": ", 3)[0])
		}
		got = append(got, s)
	}
	want := []string{"line-1", "line-4", "line-4: duplicate: ", "line-5: invalid: ", "line-5", "line-1: duplicate: "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if in.read.Load() != 6 {
		t.Errorf("%d tasks read", in.read.Load())
	}
}

func TestIntakeSkipsWhatIsDone(t *testing.T) {
	in := testIntake("", false)
	in.done = func(id string) bool { return id == "a" || id == "line-2" }
	tasks, _ := feed(t, in, `{"id":"a","payload":1}`+"\n"+`broken`+"\n"+`{"payload":1}`)
	if len(tasks) != 2 || tasks[0].ID != "line-2" || tasks[1].ID != "line-3" || in.skipped.Load() != 1 {
		t.Errorf("tasks %v, %d skipped", tasks, in.skipped.Load())
	}
}

func TestIntakeReportsReadErrors(t *testing.T) {
	broken := errors.New("broken")
	in := testIntake("", false)
	in.blocks = newBlocks(iotest.ErrReader(broken))
	in.tasks(func(task.Task, error) bool { return true })
	if !errors.Is(in.err(), broken) {
		t.Errorf("error %v", in.err())
	}
}

func TestIntakeArguments(t *testing.T) {
	in := testIntake("t", false)
	in.args = []string{"a", "\xff"}
	var ids []string
	in.tasks(func(t task.Task, err error) bool {
		if err != nil {
			t.ID += ": " + err.Error()
		}
		ids = append(ids, t.ID)
		return true
	})
	want := []string{"arg-1", "arg-2: invalid: argument 2: not UTF-8, so it cannot be a JSON string; use a line with payload_base64"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
}
