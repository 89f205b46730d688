package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// Variables that make the test binary run one task and tell how it ended, the way
// a worker would but without a supervisor.
const (
	taskKey    = "FAULTY_TEST_TASK"
	payloadKey = "FAULTY_TEST_PAYLOAD"
)

func TestMain(m *testing.M) {
	if sleepAsGrandchild() {
		return
	}
	if name, ok := os.LookupEnv(taskKey); ok {
		os.Exit(runAlone(name, os.Getenv(payloadKey)))
	}
	goleak.VerifyTestMain(m)
}

func runAlone(name, payload string) int {
	misbehaveAtStart(os.Getenv("FAULTY_START"))
	if name == "hang" {
		go announce("main.hangForever", "plugins/faulty.hangForever")
	}
	answer, err := tasks()[name](context.Background(), []byte(payload))
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 3
	}
	fmt.Printf("%s\n", answer)
	return 0
}

// announce prints a line once a function of one of these names is on some stack.
func announce(names ...string) {
	stacks := make([]byte, 1<<16)
	for {
		dump := string(stacks[:runtime.Stack(stacks, true)])
		if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(dump, name+"()") }) {
			fmt.Println("there")
			return
		}
		runtime.Gosched()
	}
}

// alone returns a command that runs one task in a process of its own.
func alone(t *testing.T, name, payload string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	if runtime.GOOS != "linux" {
		cmd.Path = os.Args[0]
	}
	cmd.Dir = t.TempDir()                         // for core files
	env = append(env, "GORACE=atexit_sleep_ms=0") // the race detector's pause would be most of the time
	cmd.Env = append(os.Environ(), append(env, taskKey+"="+name, payloadKey+"="+payload)...)
	return cmd
}

// output runs a command to its end.
func output(t *testing.T, cmd *exec.Cmd) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	if e := cmd.Run(); e != nil && cmd.ProcessState == nil {
		t.Fatal(e)
	}
	return out.String(), err.String()
}

func run(t *testing.T, name, payload string) (string, error) {
	t.Helper()
	answer, err := tasks()[name](t.Context(), []byte(payload))
	return string(answer), err
}

func TestTaskNamesAreFixed(t *testing.T) {
	want := strings.Fields("badframe exit fail flood grandchild hang leak ok panic pid print retry signal sleep spin stop")
	var got []string
	for name := range tasks() {
		got = append(got, name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("tasks are %q, want %q", got, want)
	}
}

func TestAnswers(t *testing.T) {
	for _, tc := range []struct{ task, payload, want, err string }{
		{"ok", "", "{}", ""},
		{"ok", `{"any": [1]}`, `{"any": [1]}`, ""},
		{"pid", "", fmt.Sprintf(`{"pid":%d,"attempt":0}`, os.Getpid()), ""},
		{"sleep", `{"ms":0}`, `{"ms":0}`, ""},
		{"spin", `{"ms":1}`, `{"ms":1}`, ""},
		{"fail", "", "", "failed as asked"},
		{"fail", `{"message":"no luck"}`, "", "no luck"},
		{"retry", "", "", "attempt 0 fails, attempt 2 will succeed"},
		{"retry", `{"succeed_on":0}`, `{"attempt":0}`, ""},
		{"print", "", `{"stdout":0,"stderr":0}`, ""},
		{"print", `{"lines":-1}`, "", "lines is -1"},
		{"signal", `{"signal":"NOPE"}`, "", `unknown signal "NOPE"`},
		{"leak", `{"mib_per_s":0}`, "", "the rate must be positive"},
		{"grandchild", `{"ms":-1}`, "", "ms is -1"},
		{"sleep", `{"msec":1}`, "", `unknown field "msec"`},
		{"sleep", `{"ms":1} x`, "", "something follows"},
		{"sleep", `[`, "", "parameters"},
	} {
		got, err := run(t, tc.task, tc.payload)
		if got != tc.want || (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("%s %s: got %q, %v; want %q, %q", tc.task, tc.payload, got, err, tc.want, tc.err)
		}
	}
}

func TestPanic(t *testing.T) {
	defer func() {
		if got := recover(); got != "boom" {
			t.Errorf("recovered %v, want boom", got)
		}
	}()
	_, err := run(t, "panic", `{"message":"boom"}`)
	t.Errorf("returned %v", err)
}
