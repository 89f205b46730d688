package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

// numbers returns n input lines.
func numbers(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"payload":%d}`, i+1)
	}
	return lines
}

func TestE2EOrdered(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "echo", "--ordered", "--workers", "4").stdin(numbers(5000)...).run(exitOK)
	results := b.results()
	if len(results) != 5000 {
		t.Fatalf("%d results", len(results))
	}
	for i, r := range results {
		if r.ID != lineID(i+1) {
			t.Fatalf("result %d is of %s", i, r.ID)
		}
	}
}

func TestE2EResume(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "faulty", "--max-attempts", "1", "--output", "out.jsonl", "--input", "in.jsonl", "--resume")
	b.inDir("in.jsonl", `{"task":"ok","payload":1}`+"\n"+`{"id":"bad","task":"fail","payload":{"message":"no"}}`+"\n"+`{"task":"ok","payload":3}`+"\n"+`{"id":"torn","task":"ok","payload":4}`+"\n")
	out := b.inDir("out.jsonl", `{"id":"line-1","task":"ok","status":"completed","result":"earlier"}`+"\n"+`{"id":"bad","status":"dead"}`+"\n"+`{"id":"torn","status":"comp`)
	b.run(exitIncomplete).says("skipped    1 task")
	lines := strings.SplitAfter(readFile(t, out), "\n")
	if len(lines) != 6 || !strings.Contains(lines[0], "earlier") || !strings.Contains(lines[1], "dead") {
		t.Fatalf("output:\n%s", strings.Join(lines, ""))
	}
	got := byID(t, decodeResults(t, []byte(strings.Join(lines[2:], ""))))
	if got["bad"].Status != "dead" || got["line-3"].Status != "completed" || got["torn"].Status != "completed" {
		t.Errorf("results %v", got)
	}
}

func TestE2EResumeOfNothingIsAFirstRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.jsonl")
	newBrood(t, "run", "--plugin", "echo", "--output", out, "--resume", "x").run(exitOK).says("1 completed")
	newBrood(t, "run", "--plugin", "echo", "--output", out, "--resume", "x").run(exitOK).says("skipped    1 task")
}

func TestE2EResumeRefusesOtherFiles(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "echo", "--output", "notes.txt", "--resume", "x")
	notes := b.inDir("notes.txt", "dear diary\n")
	b.run(exitUsage).says("notes.txt:1: ")
	if readFile(t, notes) != "dear diary\n" {
		t.Error("the file was changed")
	}
}

func TestE2EOutputIsReplaced(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "echo", "--output", "out.jsonl", "new")
	out := b.inDir("out.jsonl", strings.Repeat("old\n", 1000))
	b.run(exitOK)
	if text := readFile(t, out); !strings.Contains(text, `"new"`) || strings.Contains(text, "old") {
		t.Errorf("output %s", head(text))
	}
}

func TestE2EOutputSurvivesAFalseStart(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "/bin/false", "--output", "out.jsonl", "new")
	out := b.inDir("out.jsonl", "old\n")
	b.run(exitCannotRun)
	if readFile(t, out) != "old\n" {
		t.Error("a run without a worker emptied the results of another")
	}
}

func TestE2EDeadLetters(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "faulty", "--max-attempts", "1", "--dead-letter", "dead.jsonl").stdin(
		`{"task":"fail","payload":{"message":"no"},"meta":{"k":"v"}}`,
		`{"task":"ok","payload":1}`,
		`nonsense`,
		`{"id":"e","task":"exit","payload":{"code":3}}`,
	).run(exitIncomplete)
	dead := readFile(t, b.inDir("dead.jsonl", ""))
	for _, want := range []string{
		`{"id":"line-1","task":"fail","payload":{"message":"no"},"meta":{"k":"v"}}`, "nonsense", `{"id":"e","task":"exit","payload":{"code":3}}`,
	} {
		if !strings.Contains(dead, want+"\n") {
			t.Errorf("dead letters lack %s:\n%s", want, dead)
		}
	}
	if n := strings.Count(dead, "\n"); n != 3 {
		t.Errorf("%d dead letters", n)
	}
	again := newBrood(t, "run", "--plugin", "faulty", "--max-attempts", "1", "--dead-letter", "again.jsonl").stdin(strings.TrimSuffix(dead, "\n")).run(exitIncomplete)
	second := readFile(t, again.inDir("again.jsonl", ""))
	if diff := cmp.Diff(sortedLines(dead), sortedLines(second)); diff != "" {
		t.Errorf("fed back, the same tasks fail: %s", diff)
	}
}

func sortedLines(s string) []string {
	return slices.Sorted(strings.Lines(s))
}

func TestE2EFilesMustDiffer(t *testing.T) {
	for _, args := range [][]string{{"--output", "./f"}, {"--dead-letter", "f"}} {
		b := newBrood(t, append([]string{"run", "--plugin", "echo", "--input", "f"}, args...)...)
		f := b.inDir("f", `{"payload":1}`)
		b.run(exitUsage).says("the same file")
		if readFile(t, f) == "" {
			t.Error("the input is gone")
		}
	}
}

func TestE2EAttempts(t *testing.T) {
	r := newBrood(t, "run", "--plugin", "echo", "--attempts", "x").run(exitOK).results()
	if len(r[0].Attempts) != 1 || r[0].Attempts[0].Outcome != "completed" || r[0].Attempts[0].PID == 0 {
		t.Errorf("attempts %+v", r[0].Attempts)
	}
}

func TestE2EFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here")
	}
	newBrood(t, "run", "--plugin", "echo", "--output", "/dev/full").stdin(numbers(20000)...).
		run(exitCannotRun).says("output: write /dev/full: no space left on device")
}

func TestE2EClosedPipe(t *testing.T) {
	r, w := pipe(t)
	r.Close()
	b := newBrood(t, "run", "--plugin", "echo").stdin(numbers(20000)...)
	b.cmd.Stdout = w
	b.run(exitCannotRun).says("broken pipe")
}

func TestE2EClosedPipeWhileIdle(t *testing.T) {
	in, feed := pipe(t)
	r, w := pipe(t)
	b := newBrood(t, "run", "--plugin", "echo")
	b.cmd.Stdin, b.cmd.Stdout = in, w
	b.start()
	in.Close()
	w.Close()
	r.Close()
	fmt.Fprintln(feed, `{"payload":1}`)
	// The producer stays; the run must end all the same.
	b.exit(exitCannotRun).says("broken pipe")
}

func TestE2ELogsAndProgress(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "echo", "--log-level", "debug", "--log-format", "json", "x").run(exitOK)
	b.says(`"@level":"`)
	b = newBrood(t, "run", "--plugin", "echo", "--progress", "on", "x").run(exitOK)
	b.says("1 of 1 done")
}

// A result has the limit of a payload.
func TestE2EResultsHaveTheirLimit(t *testing.T) {
	got := newBrood(t, "run", "--plugin", "exec", "--max-payload", "100KB").
		stdin(`{"payload":["sh","-c","head -c 200000 /dev/zero | tr '\\0' x"]}`).run(exitIncomplete).results()
	if len(got) != 1 || got[0].Error.Kind != "permanent" || !strings.Contains(got[0].Error.Message, "is over the limit of 100000") {
		t.Errorf("%+v", got)
	}
}
