package chaos

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestWorkFollowsFromTheSeed(t *testing.T) {
	w, err := newWork(1, "", nil, []string{"echo"})
	if err != nil {
		t.Fatal(err)
	}
	w.echoes = true
	once := 0
	for n := range 100 {
		one := w.task(n)
		if got, ok := number(one.ID); !ok || got != n {
			t.Errorf("task %d has id %s", n, one.ID)
		}
		if !json.Valid(one.Payload) || !w.intact(n, one.Payload) || w.intact(n+1, one.Payload) {
			t.Errorf("task %d: payload %q", n, one.Payload)
		}
		if one.AtMostOnce {
			once++
		}
	}
	if once != 10 {
		t.Errorf("%d of 100 tasks are at_most_once", once)
	}
}

func TestWorkOfAPluginWithManyTasks(t *testing.T) {
	mixed, err := newWork(1, "", nil, []string{"hang", "ok", "sleep"})
	if err != nil || !mixed.mixed || !mixed.echoes {
		t.Fatalf("%+v, %v", mixed, err)
	}
	names := map[string]int{}
	for n := range 1000 {
		names[mixed.task(n).Name]++
	}
	if names["sleep"] < 700 || names["ok"] < 200 || len(names) != 2 {
		t.Errorf("got %v", names)
	}
	var choice *ChoiceError
	if _, err := newWork(1, "", nil, []string{"a", "b"}); !errors.As(err, &choice) || len(choice.Tasks) != 2 {
		t.Errorf("got %v", err)
	}
	chosen, err := newWork(1, "b", []byte("{}"), []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if one := chosen.task(7); one.Name != "b" || string(one.Payload) != "{}" || !chosen.intact(7, []byte("any")) {
		t.Errorf("got %+v", one)
	}
}

func TestOnlyTheWorkloadHasNumbers(t *testing.T) {
	for _, id := range []string{"", "t", "probe", "strike1-hang", "t-1", "tx"} {
		if n, ok := number(id); ok {
			t.Errorf("%q is number %d", id, n)
		}
	}
}
