package task

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brood-run/brood/ipc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestValidate(t *testing.T) {
	const maxPayload = 100
	meta := func(n int) map[string]string { return map[string]string{"key": strings.Repeat("v", n-3-8)} }
	for name, c := range map[string]struct {
		task Task
		want string // what the message says; empty if the task is good
	}{
		"zero value":                  {Task{}, ""},
		"id at the limit":             {Task{ID: strings.Repeat("i", wire.MaxID)}, ""},
		"id over it":                  {Task{ID: strings.Repeat("i", wire.MaxID+1)}, "id is 1025 bytes"},
		"name at the limit":           {Task{Name: strings.Repeat("n", wire.MaxName)}, ""},
		"name over it":                {Task{Name: strings.Repeat("n", wire.MaxName+1)}, "task name is 256 bytes"},
		"payload at the limit":        {Task{Payload: make([]byte, maxPayload)}, ""},
		"payload over it":             {Task{Payload: make([]byte, maxPayload+1)}, "payload is 101 bytes, the limit is 100"},
		"highest priority":            {Task{Options: Options{Priority: MaxPriority}}, ""},
		"lowest priority":             {Task{Options: Options{Priority: MinPriority}}, ""},
		"priority too high":           {Task{Options: Options{Priority: MaxPriority + 1}}, "priority 1001"},
		"priority too low":            {Task{Options: Options{Priority: MinPriority - 1}}, "priority -1001"},
		"most attempts":               {Task{Options: Options{MaxAttempts: 65535}}, ""},
		"too many attempts":           {Task{Options: Options{MaxAttempts: 65536}}, "max_attempts 65536"},
		"negative attempts":           {Task{Options: Options{MaxAttempts: -1}}, "max_attempts -1"},
		"no timeouts, as asked":       {Task{Options: Options{SoftTimeout: -1, HardTimeout: -1}}, ""},
		"soft timeout after the hard": {Task{Options: Options{SoftTimeout: 2 * time.Second, HardTimeout: time.Second}}, ""},
		"negative expiry":             {Task{Options: Options{Expires: -time.Second}}, "expires -1s"},
		"meta at the limit":           {Task{Options: Options{Meta: meta(wire.MaxMeta / 8)}}, ""},
		"meta over it":                {Task{Options: Options{Meta: meta(wire.MaxMeta/8 + 1)}}, "meta is about 131073 bytes"},
	} {
		err := c.task.Validate(maxPayload)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && err == nil:
			t.Errorf("%s: accepted", name)
		case c.want != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want it to say %q", name, err, c.want)
		}
	}
}

func TestErrorReadsAsKindAndMessage(t *testing.T) {
	var err error = &Error{Kind: KindCrashed, Message: "killed by SIGSEGV"}
	if got := err.Error(); got != "crashed: killed by SIGSEGV" {
		t.Errorf("got %q", got)
	}
}
