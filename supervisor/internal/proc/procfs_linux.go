package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// CheckProcfs says why /proc is of no use to look after processes with, or nil: in a PID namespace that
// has no /proc of its own, every number there means somebody else.
func CheckProcfs() error {
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return fmt.Errorf("workers cannot be looked after without /proc: mount it: %w", err)
	}
	if self != strconv.Itoa(os.Getpid()) {
		return fmt.Errorf("workers cannot be looked after here: /proc shows another PID namespace, in which this process is %s and not %d; "+
			"mount a /proc of this namespace, as unshare --mount-proc does", self, os.Getpid())
	}
	return nil
}

// statusField reads a number from a /proc status file. A field that is not there
// is zero: a zombie has no memory.
func statusField(path, name string) (uint64, error) {
	var page [4096]byte // what the kernel gives at once; the fields of memory come early
	data, err := readAtOnce(path, page[:])
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(data) {
		rest, ok := bytes.CutPrefix(line, []byte(name))
		if !ok {
			continue
		}
		fields := bytes.Fields(rest)
		if len(fields) == 0 {
			break
		}
		return strconv.ParseUint(string(fields[0]), 10, 64)
	}
	return 0, nil
}

// readAtOnce reads a short /proc file. os.ReadFile takes twice as many system calls: it asks
// for a size that is not known and offers the file to the poller, which cannot watch it.
func readAtOnce(path string, buf []byte) ([]byte, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = syscall.Close(fd) }() // only read
	n := 0
	err = ignoringEINTR(func() (err error) {
		n, err = syscall.Read(fd, buf)
		return err
	})
	if err != nil {
		return nil, &os.PathError{Op: "read", Path: path, Err: err}
	}
	return buf[:n], nil
}

// writeAtOnce writes a setting under /proc.
func writeAtOnce(path string, setting []byte) error {
	fd, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	err = ignoringEINTR(func() error {
		_, err := syscall.Write(fd, setting)
		return err
	})
	_ = syscall.Close(fd) // it has been written, or not
	if err != nil {
		return &os.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// stat is the part of /proc/<pid>/stat that we need.
type stat struct {
	state      byte
	ppid, pgrp int
	start      uint64 // in clock ticks after boot; with the pid it names one process for ever
}

func readStat(procfs string, pid int) (stat, error) {
	data, err := os.ReadFile(filepath.Join(procfs, strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, err
	}
	return parseStat(data)
}

// parseStat starts behind the last parenthesis: the name in front of it may hold
// anything, spaces and parentheses too.
func parseStat(data []byte) (s stat, err error) {
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 20 || len(fields[0]) != 1 {
		return stat{}, fmt.Errorf("malformed process status %q", data)
	}
	s.state = fields[0][0]
	if s.ppid, err = strconv.Atoi(string(fields[1])); err != nil {
		return stat{}, fmt.Errorf("malformed parent in process status: %w", err)
	}
	if s.pgrp, err = strconv.Atoi(string(fields[2])); err != nil {
		return stat{}, fmt.Errorf("malformed group in process status: %w", err)
	}
	if s.start, err = strconv.ParseUint(string(fields[19]), 10, 64); err != nil {
		return stat{}, fmt.Errorf("malformed start time in process status: %w", err)
	}
	return s, nil
}

// children lists the children of this process, except those in skip, which are not even
// looked at: a thousand workers should cost nothing here. Nor should the thousand processes
// of others: one system call tells that a process is not ours, its file takes six.
func children(procfs string, parent int, skip map[int]bool) []child {
	var found []child
	for _, pid := range candidates(procfs, parent) {
		if skip[pid] || !isChild(pid) {
			continue
		}
		s, err := readStat(procfs, pid)
		if err != nil || s.ppid != parent {
			continue // gone meanwhile
		}
		found = append(found, child{birth: birth{pid, s.start}, pgrp: s.pgrp, zombie: s.state == 'Z'})
	}
	return found
}

// candidates are the children as the kernel lists them by thread, or all
// processes where it was built without such lists.
func candidates(procfs string, parent int) []int {
	threads := filepath.Join(procfs, strconv.Itoa(parent), "task")
	var pids []int
	listed := false
	for _, tid := range numbers(threads) {
		data, err := os.ReadFile(filepath.Join(threads, strconv.Itoa(tid), "children"))
		if err != nil {
			continue // the thread has ended, and its children went to another one; or there are no lists
		}
		listed = true
		for field := range bytes.FieldsSeq(data) {
			if pid, err := strconv.Atoi(string(field)); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	if !listed {
		return numbers(procfs)
	}
	return pids
}

// numbers are the entries of a directory that are one: processes, or threads.
func numbers(path string) []int {
	dir, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = dir.Close() }() // only read
	names, _ := dir.Readdirnames(-1)   // an error leaves what was read so far
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
