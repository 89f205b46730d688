package cgroup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	v2 := &branch{hierarchy: hierarchy{v2: true}, enabled: []string{cpu, memory, pids}}
	v1 := &branch{hierarchy: hierarchy{controllers: []string{cpu, "cpuacct"}}}
	v1Memory := &branch{hierarchy: hierarchy{controllers: []string{memory}}}
	for name, test := range map[string]struct {
		on     *branch
		limits Limits
		want   map[string]string
	}{
		"v2": {v2, Limits{Memory: 1 << 20, Pids: 7, CPU: 1.5}, map[string]string{
			"memory.max": "1048576", "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "7", "cpu.max": "150000 100000",
		}},
		"v2 without limits":      {v2, Limits{}, map[string]string{}},
		"v2 without controllers": {&branch{hierarchy: hierarchy{v2: true}}, some, map[string]string{}},
		"v1 cpu":                 {v1, some, map[string]string{"cpu.cfs_quota_us": "100000"}},
		"least cpu":              {v1, Limits{CPU: 0.0001}, map[string]string{"cpu.cfs_quota_us": "1000"}},
		"v1 memory":              {v1Memory, Limits{Memory: 4096}, map[string]string{"memory.limit_in_bytes": "4096", "memory.memsw.limit_in_bytes": "4096"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			for _, s := range (part{branch: test.on}).settings(test.limits) {
				got[s.file] = s.value
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
