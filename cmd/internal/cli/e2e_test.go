package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// buildDir is where buildOnce puts the binaries; TestMain sets and removes it.
var buildDir string

// buildOnce builds brood and its plugins as `make build` lays them out.
var buildOnce = sync.OnceValue(func() error {
	for dir, pkg := range map[string]string{"brood": "cmd/brood", "plugins/": "plugins/..."} {
		out := filepath.Join(buildDir, dir)
		if strings.HasSuffix(dir, "/") {
			out += "/"
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
		}
		cmd := exec.Command("go", "build", "-o", out, "./"+pkg)
		cmd.Dir = filepath.Join("..", "..", "..")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", cmd, err, text)
		}
	}
	return nil
})

// deadline bounds everything these tests wait for.
const deadline = 60 * time.Second

// brood is one run of the built binary.
type brood struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr *transcript
	ended  chan struct{}
}

// newBrood prepares a run in a directory of its own. Standard input is empty.
func newBrood(t *testing.T, args ...string) *brood {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the built binary")
	}
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	b := &brood{t: t, cmd: exec.Command(filepath.Join(buildDir, "brood"), args...), ended: make(chan struct{}), stderr: newTranscript()}
	b.cmd.Dir = t.TempDir()
	b.cmd.Stdin = strings.NewReader("")
	b.cmd.Stdout, b.cmd.Stderr = &b.stdout, b.stderr
	b.cmd.WaitDelay = deadline
	b.cmd.Env = append(os.Environ(), "BROOD_LOG_LEVEL=warn")
	return b
}

func (b *brood) stdin(lines ...string) *brood {
	b.cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	return b
}

func (b *brood) env(pairs ...string) *brood {
	b.cmd.Env = append(b.cmd.Env, pairs...)
	return b
}

func (b *brood) start() *brood {
	b.t.Helper()
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	go func() {
		defer close(b.ended)
		_ = b.cmd.Wait() // the exit code is checked by exit
	}()
	b.t.Cleanup(func() {
		_ = b.cmd.Process.Kill()
		<-b.ended
	})
	return b
}

func (b *brood) signal(s syscall.Signal) {
	b.t.Helper()
	if err := b.cmd.Process.Signal(s); err != nil {
		b.t.Fatal(err)
	}
}

// exit waits for the end and checks the exit code.
func (b *brood) exit(want int) *brood {
	b.t.Helper()
	select {
	case <-b.ended:
	case <-time.After(deadline):
		_ = b.cmd.Process.Signal(syscall.SIGQUIT)
		<-b.ended
		b.t.Fatalf("brood did not end within %v\n%s", deadline, b.stderr.String())
	}
	if got := b.cmd.ProcessState.ExitCode(); got != want {
		b.t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", got, want, head(b.stdout.String()), head(b.stderr.String()))
	}
	return b
}

func head(s string) string {
	const most = 8 << 10
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// run starts, waits and checks the exit code.
func (b *brood) run(want int) *brood {
	b.t.Helper()
	return b.start().exit(want)
}

// says checks that stderr holds each of the texts.
func (b *brood) says(texts ...string) *brood {
	b.t.Helper()
	for _, text := range texts {
		if !strings.Contains(b.stderr.String(), text) {
			b.t.Errorf("stderr does not say %q:\n%s", text, head(b.stderr.String()))
		}
	}
	return b
}

// awaits waits until stderr holds text.
func (b *brood) awaits(text string) {
	b.t.Helper()
	if !b.stderr.awaits(text, deadline) {
		b.t.Fatalf("stderr does not say %q:\n%s", text, head(b.stderr.String()))
	}
}

// results decodes stdout.
func (b *brood) results() []resultLine {
	b.t.Helper()
	return decodeResults(b.t, b.stdout.Bytes())
}

func decodeResults(t *testing.T, text []byte) []resultLine {
	t.Helper()
	var all []resultLine
	for line := range bytes.Lines(text) {
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		var r resultLine
		if err := d.Decode(&r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, r)
	}
	return all
}

// byID indexes results and checks that no id has two.
func byID(t *testing.T, results []resultLine) map[string]resultLine {
	t.Helper()
	m := make(map[string]resultLine)
	for _, r := range results {
		if _, twice := m[r.ID]; twice {
			t.Errorf("%s has two results", r.ID)
		}
		m[r.ID] = r
	}
	return m
}

// inDir names a file in the run's directory and writes it if there is text.
func (b *brood) inDir(name, text string) string {
	b.t.Helper()
	path := filepath.Join(b.cmd.Dir, name)
	if text != "" {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	return path
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
