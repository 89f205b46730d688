package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/brood-run/brood/child"
	"golang.org/x/sys/unix"
)

// bombKey makes this program a part of a fork bomb.
const bombKey = "PROBE_BOMB"

// bomb starts processes that start processes until its user has as many as the payload says, and
// goes on trying. The payload's first word is their last argument, the second the number.
func bomb(_ context.Context, payload []byte) ([]byte, error) {
	var mark string
	var most uint64
	if _, err := fmt.Sscan(string(payload), &mark, &most); err != nil {
		return nil, child.Permanent(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: most, Max: most}); err != nil {
		return nil, child.Permanent(err)
	}
	if err := os.Setenv(bombKey, mark); err != nil {
		return nil, err
	}
	explode()
	return nil, nil
}

// explode never returns. Every other process leaves its group and session.
func explode() {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	for n := 0; ; n++ {
		cmd := exec.Command(self, os.Getenv(bombKey))
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: n%2 == 1}
		if cmd.Start() != nil {
			time.Sleep(10 * time.Millisecond) // there are as many as there can be
		}
	}
}

// fill writes to the file that the payload names until it can not.
func fill(_ context.Context, path []byte) (_ []byte, err error) {
	f, err := os.Create(string(path))
	if err != nil {
		return nil, child.Permanent(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for block := make([]byte, 64<<10); ; {
		if _, err := f.Write(block); err != nil {
			return nil, child.Permanent(err)
		}
	}
}
