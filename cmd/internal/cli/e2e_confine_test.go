package cli

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// confined runs brood and skips the test where the machine has no means for what is asked.
func confined(t *testing.T, b *brood) *brood {
	t.Helper()
	b.start()
	<-b.ended
	for _, reason := range []string{"Landlock", "network: "} {
		if strings.Contains(b.stderr.String(), reason) && b.cmd.ProcessState.ExitCode() == exitUsage {
			t.Skip(b.stderr.String())
		}
	}
	return b
}

func TestE2EAllowLists(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "exec", "--max-attempts", "1",
		"--allow-read", "/bin", "--allow-read", "/lib", "--allow-read", "/lib64", "--allow-read", "/usr", "--allow-write", "mine")
	if err := os.Mkdir(b.inDir("mine", ""), 0o755); err != nil {
		t.Fatal(err)
	}
	b.inDir("secret", "x")
	b.stdin(
		`{"id":"write","payload":["sh","-c","echo hello > mine/f && cat mine/f"]}`,
		`{"id":"read","payload":["cat","secret"]}`,
		`{"id":"elsewhere","payload":["touch","other"]}`,
	)
	got := byID(t, confined(t, b).exit(exitIncomplete).results())
	if got["write"].Status != "completed" {
		t.Errorf("write: %+v", got["write"].Error)
	}
	for _, id := range []string{"read", "elsewhere"} {
		if r := got[id]; r.Status != "dead" || !strings.Contains(r.Error.Message, "ermission denied") {
			t.Errorf("%s: %+v", id, r)
		}
	}
}

func TestE2EAllowReadKeepsLibrariesFromAProgram(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "/bin/ls", "--allow-read", ".", "x")
	confined(t, b).exit(exitCannotRun).says("shared libraries", "allow_read")
}

func TestE2EConfinementByConfigFile(t *testing.T) {
	b := newBrood(t, "run", "--config", "c.yaml").
		stdin(`{"id":"a","payload":["sh","-c","test -z \"$SECRET\" && test -z \"$HOME\" && cat /proc/net/dev | wc -l && touch other 2>&1 | grep -c denied"]}`).
		env("SECRET=x")
	b.inDir("c.yaml", "plugin: exec\nclear_env: true\nenv: {PATH: /usr/bin:/bin}\nnetwork: none\nallow_write: [mine]\nmax_attempts: 1\n")
	if err := os.Mkdir(b.inDir("mine", ""), 0o755); err != nil {
		t.Fatal(err)
	}
	results := confined(t, b).exit(exitOK).results()
	if out := string(results[0].Result); !strings.Contains(out, `"stdout":"3\n1\n"`) {
		t.Errorf("want two lines of title, loopback alone, and one refusal: %s", out)
	}
}

func TestE2EChecksum(t *testing.T) {
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(buildDir, "plugins", "echo"))
	if err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(content))
	newBrood(t, "run", "--plugin", "echo", "--sha256", sum, "x").run(exitOK)
	other := strings.Repeat("ab", 32)
	newBrood(t, "run", "--plugin", "echo", "--sha256", other, "x").run(exitCannotRun).says(sum, other)
	newBrood(t, "run", "--plugin", "echo", "--sha256", "abc", "x").run(exitUsage).
		says(`--sha256: expected the 64 hexadecimal digits of a SHA-256 checksum, found "abc"`)
}

func TestE2EConfinementIsChecked(t *testing.T) {
	for _, tt := range []struct{ flag, value, says string }{
		{"--network", "lan", `--network: expected one of host, none, found "lan"`},
		{"--allow-read", "/nowhere", "allow_read[0]: /nowhere: no such file"},
		{"--allow-write", "/nowhere", "allow_write[0]: /nowhere: no such file"},
	} {
		b := newBrood(t, "run", "--plugin", "echo", tt.flag, tt.value, "x")
		confined(t, b).exit(exitUsage).says(tt.says)
	}
}
