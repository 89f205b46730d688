package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// statusField reads a number from a /proc status file. A field that is not there
// is zero: a zombie has no memory.
func statusField(path, name string) (uint64, error) {
	data, err := os.ReadFile(path)
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

// children lists the children of a process, except those in skip, which are not
// even looked at: a thousand workers should cost nothing here.
func children(procfs string, parent int, skip map[int]bool) []child {
	var found []child
	for _, pid := range candidates(procfs, parent) {
		if skip[pid] {
			continue
		}
		s, err := readStat(procfs, pid)
		if err != nil || s.ppid != parent {
			continue // gone meanwhile, or not ours
		}
		found = append(found, child{birth: birth{pid, s.start}, pgrp: s.pgrp, zombie: s.state == 'Z'})
	}
	return found
}

// candidates are the children as the kernel lists them by thread, or all
// processes where it was built without such lists.
func candidates(procfs string, parent int) []int {
	lists, err := filepath.Glob(filepath.Join(procfs, strconv.Itoa(parent), "task", "*", "children"))
	if err != nil || len(lists) == 0 {
		return allProcesses(procfs)
	}
	var pids []int
	for _, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended; its children went to another one
		}
		for field := range bytes.FieldsSeq(data) {
			if pid, err := strconv.Atoi(string(field)); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func allProcesses(procfs string) []int {
	dir, err := os.Open(procfs)
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
