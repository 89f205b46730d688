package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestE2EBench(t *testing.T) {
	b := newBrood(t, "bench", "--plugin", "echo", "--duration", "100ms", "--workers", "1,2", "--rate", "1000", "--json").run(exitOK)
	var report struct {
		Throughput []struct {
			Workers int     `json:"workers"`
			Rate    float64 `json:"tasks_per_second"`
		} `json:"throughput"`
		Idle struct {
			P50 float64 `json:"p50_us"`
		} `json:"idle"`
		Sizing struct {
			Workers int `json:"workers"`
		} `json:"sizing"`
		Statuses map[string]int `json:"statuses"`
	}
	if err := json.Unmarshal(b.stdout.Bytes(), &report); err != nil {
		t.Fatalf("%v\n%s", err, b.stdout.String())
	}
	if len(report.Throughput) != 2 || report.Throughput[1].Workers != 2 || report.Throughput[1].Rate <= 0 ||
		report.Idle.P50 <= 0 || report.Sizing.Workers < 1 || report.Statuses["completed"] == 0 {
		t.Errorf("%s", b.stdout.String())
	}
}

func TestE2EBenchOfAFailingPlugin(t *testing.T) {
	args := []string{"bench", "--plugin", "faulty", "--task", "fail", "--payload", `{"message":"because"}`, "--duration", "10ms"}
	text := newBrood(t, args...).run(exitIncomplete).says("not all tasks completed: 1 dead")
	if out := text.stdout.String(); !strings.Contains(out, "NOTHING WAS MEASURED") || !strings.Contains(out, "because") {
		t.Errorf("%s", out)
	}
	object := newBrood(t, append(args, "--json")...).run(exitIncomplete)
	if out := object.stdout.Bytes(); !json.Valid(out) || !bytes.Contains(out, []byte("because")) {
		t.Errorf("%s", out)
	}
}

// Workers that die all the time are told once, in the report.
func TestE2EBenchOfADyingPlugin(t *testing.T) {
	b := newBrood(t, "bench", "--plugin", "faulty", "--task", "exit", "--payload", "{}", "--duration", "10ms")
	b.cmd.Env = os.Environ() // with the level of its own
	b.run(exitIncomplete)
	if lines := strings.Count(b.stderr.String(), "\n"); lines != 1 {
		t.Errorf("%d lines:\n%s", lines, b.stderr.String())
	}
}

func TestE2EBenchInterrupted(t *testing.T) {
	b := newBrood(t, "bench", "--plugin", "faulty", "--task", "sleep", "--payload", `{"ms":60000}`, "--log-level", "debug").start()
	b.awaits("(sleep) started on")
	b.signal(syscall.SIGINT)
	b.exit(exitInterrupted).says("interrupted")
	if b.stdout.Len() > 0 {
		t.Errorf("reported all the same: %s", b.stdout.String())
	}
}

func TestE2EBenchWrongUsage(t *testing.T) {
	for _, test := range []struct {
		says string
		args []string
	}{
		{"--plugin is required", nil},
		{"--task is required: faulty serves badframe", []string{"--plugin", "faulty"}},
		{"--workers: expected numbers of workers such as 1,2,4", []string{"--plugin", "echo", "--workers", "1,x"}},
		{"--duration: expected more than nothing", []string{"--plugin", "echo", "--duration", "0s"}},
		{"--rate: expected tasks a second", []string{"--plugin", "echo", "--rate", "-1"}},
		{"--payload-size: expected a size from 2 B", []string{"--plugin", "echo", "--payload-size", "1"}},
		{"there is no flag --input", []string{"--plugin", "echo", "--input", "x"}},
		{"arguments of the plugin go after --", []string{"--plugin", "echo", "x"}},
	} {
		newBrood(t, append([]string{"bench"}, test.args...)...).run(exitUsage).says(test.says)
	}
}
