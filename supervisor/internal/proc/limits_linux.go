package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

var errNoNewPrivs error // Linux has no_new_privs

func rlimits() map[string]int {
	return map[string]int{
		"nofile": unix.RLIMIT_NOFILE,
		"core":   unix.RLIMIT_CORE,
		"cpu":    unix.RLIMIT_CPU,
		"as":     unix.RLIMIT_AS,
		"nproc":  unix.RLIMIT_NPROC,
		"fsize":  unix.RLIMIT_FSIZE,
	}
}

// limit sets what can be set on a running process from outside: between fork and
// exec only the kernel's own list of attributes is within reach of Go.
func (p *Process) limit(l Limits) error {
	err := p.alive(func() error {
		for _, step := range []func(Limits) error{p.setRlimits, p.setNice, p.setOOMScore} {
			if err := step(l); err != nil && !ended(p.pid) {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, os.ErrProcessDone) {
		return nil // nothing is left to be limited; its end is reported as such
	}
	return err
}

func (p *Process) setRlimits(l Limits) error {
	for name, value := range l.Rlimits {
		resource, _ := rlimit(name) // Validate has seen it
		if err := unix.Prlimit(p.pid, resource, &unix.Rlimit{Cur: value, Max: value}, nil); err != nil {
			return fmt.Errorf("cannot set rlimit %s to %d%s: %w", name, value, privilege(err), err)
		}
	}
	return nil
}

// setNice goes by group: niceness belongs to a thread, and the process may have
// several by now.
func (p *Process) setNice(l Limits) error {
	if l.Nice == 0 {
		return nil
	}
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return fmt.Errorf("cannot read the supervisor's niceness: %w", err)
	}
	nice := 20 - own + l.Nice // the system call returns 20 - niceness, never negative
	if err := unix.Setpriority(unix.PRIO_PGRP, p.pid, min(max(nice, -20), 19)); err != nil {
		return fmt.Errorf("cannot set nice to %d%s: %w", nice, privilege(err), err)
	}
	return nil
}

func (p *Process) setOOMScore(l Limits) error {
	if l.OOMScoreAdj == 0 {
		return nil
	}
	path := "/proc/" + strconv.Itoa(p.pid) + "/oom_score_adj"
	err := writeAtOnce(path, strconv.AppendInt(nil, int64(l.OOMScoreAdj), 10))
	if err == nil {
		return nil
	}
	// A container may have given us a higher score that we cannot lower. Then the
	// kernel prefers the worker more than was asked for, which is no failure.
	if now, e := readInt(path); errors.Is(err, fs.ErrPermission) && e == nil && now >= l.OOMScoreAdj {
		return nil
	}
	return fmt.Errorf("cannot set oom_score_adj to %d%s: %w", l.OOMScoreAdj, privilege(err), err)
}

func readInt(path string) (int, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(data)))
}

func privilege(err error) string {
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		return " (this needs root or the matching capability)"
	}
	return ""
}
