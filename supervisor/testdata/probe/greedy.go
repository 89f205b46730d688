package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/brood-run/brood/child"
)

// bombKey makes this program a part of a fork bomb.
const bombKey = "PROBE_BOMB"

// bomb starts processes that start processes, the payload as their last argument, until no more
// can be had, and goes on trying.
func bomb(_ context.Context, mark []byte) ([]byte, error) {
	if err := os.Setenv(bombKey, string(mark)); err != nil {
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
