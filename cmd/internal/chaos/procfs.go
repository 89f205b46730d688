package chaos

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/brood-run/brood/ipc"
)

// process is one that lives, as /proc shows it.
type process struct {
	pid, parent, group, session int
	command                     string
}

// String names it in evidence.
func (p process) String() string {
	return "process " + strconv.Itoa(p.pid) + ": " + p.command
}

// processes lists those that pass.
func processes(pass func(p process) bool) []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, alive := look(pid); alive && pass(p) {
			all = append(all, p)
		}
	}
	return all
}

// look reads what /proc says of a process.
func look(pid int) (p process, there bool) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return process{}, false
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 4 {
		return process{}, false
	}
	p.pid, p.command = pid, "("+fields[0]+")"
	for i, at := range []*int{&p.parent, &p.group, &p.session} {
		*at, _ = strconv.Atoi(fields[i+1]) // the kernel writes numbers
	}
	if line, err := os.ReadFile(filepath.Join(dir, "cmdline")); err == nil && len(line) > 0 {
		p.command = string(bytes.TrimRight(bytes.ReplaceAll(line, []byte{0}, []byte{' '}), " "))
	}
	return p, true
}

// marked lists the living processes of a run: all that a worker starts inherits the mark. What has
// ended and was not waited for yet has no environment any more.
func marked(mark string) []process {
	return processes(func(p process) bool {
		env, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "environ"))
		return err == nil && p.pid != os.Getpid() && holds(bytes.Split(env, []byte{0}), ipc.EnvTree+"="+mark)
	})
}

// holds says whether a variable is there that begins so.
func holds(vars [][]byte, prefix string) bool {
	return slices.ContainsFunc(vars, func(v []byte) bool { return bytes.HasPrefix(v, []byte(prefix)) })
}

// children lists the processes, ended or not, that this one has to answer for.
func children() []process {
	return processes(func(p process) bool { return p.parent == os.Getpid() })
}

// openFiles counts the descriptors of this process.
func openFiles() int {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(fds)
}

// peakMemory is the most resident memory this process ever had, in bytes.
func peakMemory() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseUint(strings.Fields(rest)[0], 10, 64) // the kernel writes a number
			return kib << 10
		}
	}
	return 0
}

// scratch lists the directories for sockets that the handshake with a worker makes, and that
// are removed at once unless something goes wrong.
func scratch() []string {
	var all []string
	for _, dir := range []string{"/dev/shm", os.TempDir()} {
		found, _ := filepath.Glob(filepath.Join(dir, "plugin-dir*")) // the pattern is good
		all = append(all, found...)
	}
	return all
}

// groups lists the control groups that brood may have made below ours.
func groups() []string {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	var all []string
	for line := range strings.Lines(string(own)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, hierarchy := range []string{"", "unified", strings.TrimPrefix(parts[1], "name=")} {
			top := filepath.Join("/sys/fs/cgroup", hierarchy, parts[2])
			for _, below := range []string{"brood*", "brood*/*", "*/brood*"} {
				found, _ := filepath.Glob(filepath.Join(top, below)) // the pattern is good
				all = append(all, found...)
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || !info.IsDir()
	})
}
