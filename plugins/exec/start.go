package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/brood-run/brood/child"
)

// markerKey is the environment variable that tells the commands of one worker,
// and all that descends from them, apart.
const markerKey = "BROOD_EXEC"

// taskKey is the environment variable that tells a command its task's id.
const taskKey = "BROOD_TASK_ID"

// lookup finds the program of a command.
func lookup(c command) (string, error) {
	path, err := exec.LookPath(c.argv[0])
	if err != nil && c.dir != "" && strings.Contains(c.argv[0], "/") {
		return c.argv[0], nil // relative to the command's directory, not to ours
	}
	if err != nil {
		return "", startError(c, err)
	}
	return path, nil
}

// startError says why a command could not be started, and whether trying again
// can help: it cannot when the command itself is at fault.
func startError(c command, err error) error {
	for _, reason := range []struct {
		is     error
		advice string
	}{
		{exec.ErrNotFound, "no such program in PATH; install it on this machine or give its whole path"},
		{exec.ErrDot, "found only in the current directory; write ./ before its name if that is what you mean"},
		{syscall.ENOEXEC, "not a program this machine can run: a script needs a #! line, a binary must be built for this architecture"},
		{syscall.E2BIG, "its arguments and environment are longer than the system allows; pass them through stdin or a file"},
		{syscall.ENOTDIR, "part of its path is not a directory"},
		{syscall.EISDIR, "it is a directory"},
		{syscall.ELOOP, "its path has a loop of symbolic links"},
		{fs.ErrPermission, "not executable; check its mode (chmod +x) and the directories above it"},
		{fs.ErrNotExist, "no such file or directory; check the program, its #! line and dir"},
	} {
		if errors.Is(err, reason.is) {
			return child.Permanent(fmt.Errorf("cannot run %q: %s (%w)", c.argv[0], reason.advice, err))
		}
	}
	return fmt.Errorf("cannot run %q: %w", c.argv[0], err)
}

// baseEnv is this process's environment without what is meant for it alone: a
// command that is a plugin itself must not take itself for our worker.
func baseEnv() []string {
	return without(os.Environ(), func(key string) bool {
		return key == markerKey || key == taskKey || key == "BROOD_PLUGIN_COOKIE"
	})
}

// environment is base with the command's own variables over it. C programs take the first
// of two variables of one name, so none may occur twice.
func environment(base []string, c command, marker string) []string {
	own := map[string]string{markerKey: marker, taskKey: c.taskID}
	env := without(base, func(key string) bool { _, ok := c.env[key]; return ok })
	for k, v := range c.env {
		if _, ok := own[k]; !ok {
			env = append(env, k+"="+v)
		}
	}
	for k, v := range own {
		env = append(env, k+"="+v)
	}
	return env
}

// without returns a copy of env without the variables that drop names.
func without(env []string, drop func(key string) bool) []string {
	kept := make([]string, 0, len(env)+4)
	for _, kv := range env {
		if key, _, _ := strings.Cut(kv, "="); !drop(key) {
			kept = append(kept, kv)
		}
	}
	return kept
}
