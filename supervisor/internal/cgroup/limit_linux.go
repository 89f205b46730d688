package cgroup

import (
	"errors"
	"io/fs"
	"strconv"
)

// period is the time over which a share of the processors is counted, in microseconds; it
// is the kernel's default.
const period = 100_000

// leastQuota is the smallest the kernel takes.
const leastQuota = 1000

// setting is a limit as the kernel wants it.
type setting struct {
	file, value string
	optional    bool // not in every kernel
}

// limit sets the limits that are kept by this part's controllers.
func (t part) limit(l Limits) error {
	for _, s := range t.settings(l) {
		err := write(t.dir, s.file, s.value)
		if err != nil && !(s.optional && errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return nil
}

func (t part) settings(l Limits) []setting {
	var all []setting
	if l.Memory > 0 && t.keeps(memory) {
		all = append(all, t.memorySettings(strconv.FormatUint(l.Memory, 10))...)
	}
	if l.Pids > 0 && t.keeps(pids) {
		all = append(all, setting{file: "pids.max", value: strconv.Itoa(l.Pids)})
	}
	if l.CPU > 0 && t.keeps(cpu) {
		all = append(all, t.cpuSetting(l.CPU))
	}
	return all
}

// memorySettings keep the tree from going to swap instead, and under v2 have the kernel end all of it,
// not just the largest process.
func (t part) memorySettings(bytes string) []setting {
	if t.v2 {
		return []setting{
			{file: "memory.max", value: bytes},
			{file: "memory.swap.max", value: "0", optional: true},
			{file: "memory.oom.group", value: "1"},
		}
	}
	return []setting{
		{file: "memory.limit_in_bytes", value: bytes},
		{file: "memory.memsw.limit_in_bytes", value: bytes, optional: true}, // must not be the lower one at any time
	}
}

func (t part) cpuSetting(processors float64) setting {
	quota := strconv.Itoa(max(leastQuota, int(processors*period)))
	if t.v2 {
		return setting{file: "cpu.max", value: quota + " " + strconv.Itoa(period)}
	}
	return setting{file: "cpu.cfs_quota_us", value: quota}
}
