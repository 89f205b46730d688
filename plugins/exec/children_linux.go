package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// children lists the direct children of this process, dead or alive.
func children() []int {
	if pids, err := childrenByThread(); err == nil {
		return pids
	}
	return childrenByParent()
}

// childrenByThread asks the kernel, which keeps a list for each thread; it
// fails where the kernel was built without CONFIG_PROC_CHILDREN.
func childrenByThread() ([]int, error) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil, err
	}
	var pids []int
	found := false
	for _, thread := range threads {
		text, err := os.ReadFile(filepath.Join("/proc/self/task", thread.Name(), "children"))
		if err != nil {
			continue // the thread is gone, or none has such a file
		}
		found = true
		pids = append(pids, numbers(strings.Fields(string(text)))...)
	}
	if !found {
		return nil, os.ErrNotExist
	}
	return pids, nil
}

// childrenByParent looks at every process of the machine.
func childrenByParent() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		for _, pid := range numbers([]string{e.Name()}) {
			if parent(pid) == os.Getpid() {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// parent returns the parent of a process, 0 if it has none or is gone.
func parent(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// "pid (name) state ppid ...", where the name may hold spaces and brackets.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(fields[1])
	return ppid
}

// numbers keeps what reads as a number.
func numbers(fields []string) []int {
	var ns []int
	for _, f := range fields {
		if n, err := strconv.Atoi(f); err == nil {
			ns = append(ns, n)
		}
	}
	return ns
}
