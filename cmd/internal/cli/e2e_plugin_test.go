package cli

import (
	"os"
	"strings"
	"testing"
)

func TestE2EPluginThatCannotRun(t *testing.T) {
	tests := []struct {
		name, file string
		mode       os.FileMode
		says       string
	}{
		{"missing", "", 0, "no such file"},
		{"not executable", "text", 0o644, "not executable"},
		{"a script with an error", "#!/bin/sh\necho oh dear >&2\nexit 7\n", 0o755, "oh dear"},
		{"not a program", "\x7fELF nonsense", 0o755, "plugin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBrood(t, "run", "--plugin", "./plugin", "--output", "out.jsonl", "x")
			if tt.file != "" {
				if err := os.Chmod(b.inDir("plugin", tt.file), tt.mode); err != nil {
					t.Fatal(err)
				}
			}
			b.run(exitCannotRun).says(tt.says)
		})
	}
}

func TestE2EPluginThatMisbehavesAtStart(t *testing.T) {
	for _, how := range []string{"exit", "garbage", "hang"} {
		t.Run(how, func(t *testing.T) {
			newBrood(t, "run", "--plugin", "faulty", "--start-timeout", "300ms", "--task", "ok", "x").
				env("FAULTY_START=" + how).run(exitCannotRun).says("brood: ")
		})
	}
}

func TestE2EPluginByName(t *testing.T) {
	newBrood(t, "run", "--plugin", "nowhere", "x").run(exitCannotRun).
		says(`there is no plugin "nowhere"; looked for`, "plugins/nowhere", "brood-plugin-nowhere on PATH")
}

func TestE2EPlugins(t *testing.T) {
	b := newBrood(t, "plugins").run(exitOK)
	for _, want := range []string{"echo", "exec", "faulty", "thumbnail", "takes a template"} {
		if !strings.Contains(b.stdout.String(), want) {
			t.Errorf("plugins do not show %s:\n%s", want, b.stdout.String())
		}
	}
	b = newBrood(t, "plugins", "--json", "/bin/false", "echo").run(exitIncomplete)
	lines := strings.Split(b.stdout.String(), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], `"error":"`) || !strings.Contains(lines[1], `"tasks":["echo"]`) {
		t.Errorf("plugins:\n%s", b.stdout.String())
	}
}

func TestE2ECompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if b := newBrood(t, "completion", shell).run(exitOK); !strings.Contains(b.stdout.String(), "brood") {
			t.Errorf("%s: %s", shell, b.stdout.String())
		}
	}
	b := newBrood(t, "run", "--work", "--generate-bash-completion").run(exitOK)
	if b.stdout.String() != "--workers\n" {
		t.Errorf("completion of --work: %q", b.stdout.String())
	}
}

func TestE2EFailuresAreTold(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "faulty", "--workers", "2", "--backoff-base", "1ms").stdin(
		`{"id":"ok","task":"ok","payload":1}`,
		`{"id":"fail","task":"fail","payload":{"message":"because"},"max_attempts":2}`,
		`{"id":"segv","task":"signal","payload":{"signal":"SEGV"},"max_attempts":1}`,
		`{"id":"retry","task":"retry","payload":{"succeed_on":2}}`,
		`{"id":"slow","task":"sleep","payload":{"ms":60000},"hard_timeout":"200ms","max_attempts":1}`,
	).run(exitIncomplete)
	got := byID(t, b.results())
	if r := got["retry"]; r.Status != "completed" || len(r.Attempts) != 1 {
		t.Errorf("retry: %+v", r)
	}
	if r := got["fail"]; r.Status != "dead" || len(r.Attempts) != 2 || !strings.Contains(r.Error.Message, "because") {
		t.Errorf("fail: %+v", r)
	}
	if r := got["segv"]; r.Status != "dead" || r.Attempts[0].Signal != "SIGSEGV" || r.Attempts[0].ExitCode != nil {
		t.Errorf("segv: %+v", r)
	}
	if r := got["slow"]; r.Status != "dead" || r.Attempts[0].Outcome != "timeout" {
		t.Errorf("slow: %+v", r)
	}
	b.says("2 completed, 3 dead", "segv: crashed", "slow: timeout", "restarts: ")
}
