package cli

import (
	"encoding/json"
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
	b := newBrood(t, "bench", "--plugin", "faulty", "--task", "fail", "--payload", `{"message":"because"}`, "--duration", "10ms", "--json")
	b.run(exitIncomplete).says("not all tasks completed: 1 dead", "because")
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
