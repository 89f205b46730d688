package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if helper := os.Getenv(helperKey); helper != "" {
		os.Exit(runHelper(helper))
	}
	goleak.VerifyTestMain(m)
}

func newService(t testing.TB, args ...string) *service {
	t.Helper()
	s := &service{template: parseTemplate(args)}
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.runner.close)
	return s
}

// answer is a result as a reader of the documentation would decode it.
type answer struct {
	Argv            []string
	ExitCode        int    `json:"exit_code"`
	Signal          string `json:"signal"`
	Stdout, Stderr  string
	StdoutBase64    []byte `json:"stdout_base64"`
	StdoutTruncated bool   `json:"stdout_truncated"`
	StderrTruncated bool   `json:"stderr_truncated"`
}

func ask(t *testing.T, s *service, payload any) (answer, error) {
	t.Helper()
	body, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.exec(t.Context(), body)
	if err != nil {
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("result %q: %v", out, err)
	}
	return a, nil
}

func TestExecAnswers(t *testing.T) {
	s := newService(t, "printf", "%s", "<{/}>")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		payload        any
		stdout, stderr string
	}{
		"template": {"a b/c;d é", "<c;d é>", ""},
		"argv":     {[]string{"sh", "-c", "echo out; echo err >&2"}, "out\n", "err\n"},
		"stdin":    {map[string]any{"argv": []string{"cat"}, "stdin": "from the payload"}, "from the payload", ""},
		"no stdin": {[]string{"cat"}, "", ""},
		"unread":   {map[string]any{"argv": []string{"true"}, "stdin": strings.Repeat("x", 1<<20)}, "", ""},
		"dir":      {map[string]any{"argv": []string{"pwd"}, "dir": dir}, dir + "\n", ""},
		"env": {map[string]any{"argv": []string{"sh", "-c", `echo "$A,$HOME,$BROOD_PLUGIN_COOKIE"`},
			"env": map[string]string{"A": "1", "HOME": "there"}}, "1,there,\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := ask(t, s, tc.payload)
			if err != nil || a.Stdout != tc.stdout || a.Stderr != tc.stderr || a.ExitCode != 0 || a.Signal != "" {
				t.Errorf("got %+v, %v; want stdout %q, stderr %q", a, err, tc.stdout, tc.stderr)
			}
		})
	}
}

func TestExecKeepsHeadOfStdoutAndTailOfStderr(t *testing.T) {
	t.Setenv("BROOD_EXEC_OUTPUT_LIMIT", "6")
	a, err := ask(t, newService(t), []string{"sh", "-c", "printf 123456789; printf 123456789 >&2"})
	if err != nil || a.Stdout != "123456" || a.Stderr != "456789" || !a.StdoutTruncated || !a.StderrTruncated {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestExecReturnsBytesThatAreNotText(t *testing.T) {
	a, err := ask(t, newService(t), []string{"printf", `\377\000a`})
	if err != nil || string(a.StdoutBase64) != "\xff\x00a" || a.Stdout != "" {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestExecFailures(t *testing.T) {
	s := newService(t)
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tc := range map[string]struct {
		argv []string
		want string
	}{
		"exit code":       {[]string{"sh", "-c", "echo one >&2; echo two >&2; exit 3"}, "sh: exit code 3: one\ntwo"},
		"silent":          {[]string{"false"}, "false: exit code 1"},
		"signal":          {[]string{"sh", "-c", "kill -KILL $$"}, "sh: killed by SIGKILL"},
		"not found":       {[]string{"no-such-program-here"}, "no such program in PATH"},
		"no file":         {[]string{dir + "/none"}, "no such file or directory"},
		"not executable":  {[]string{write("plain", "text", 0o644)}, "not executable"},
		"no interpreter":  {[]string{write("script", "echo hello", 0o755)}, "a script needs a #! line"},
		"bad interpreter": {[]string{write("bad", "#!/no/such/shell\n", 0o755)}, "its #! line"},
		"too long":        {[]string{"true", strings.Repeat("x", 4<<20)}, "longer than the system allows"},
		"empty":           {[]string{}, "the command is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			if a, err := ask(t, s, tc.argv); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %+v, %v; want an error with %q", a, err, tc.want)
			}
		})
	}
}

func TestExecDoesNotStartWhatIsAlreadyCancelled(t *testing.T) {
	reason := errors.New("nobody wants it")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	file := filepath.Join(t.TempDir(), "ran")
	if _, err := newService(t).exec(ctx, []byte(`["touch","`+file+`"]`)); !errors.Is(err, reason) {
		t.Errorf("error %v, want the cause", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the command ran")
	}
}

func TestOutputLimitNamesItsVariable(t *testing.T) {
	for _, bad := range []string{"1MiB", "-1"} {
		if _, err := outputLimit(bad); err == nil || !strings.Contains(err.Error(), "BROOD_EXEC_OUTPUT_LIMIT") {
			t.Errorf("outputLimit(%q): %v", bad, err)
		}
	}
}

func BenchmarkTrue(b *testing.B) {
	s := newService(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.exec(b.Context(), []byte(`["/bin/true"]`)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
