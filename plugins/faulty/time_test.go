package main

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestSleepTakesItsTimeOrIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if _, err := sleep(t.Context(), duration{MS: 1500}); err != nil || time.Since(begun) != 1500*time.Millisecond {
			t.Errorf("slept %v, %v", time.Since(begun), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun = time.Now()
		if _, err := sleep(ctx, duration{MS: 60_000}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("cancelled: slept %v, %v", time.Since(begun), err)
		}
	})
}

func TestSpinDoesNotNoticeACancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begun := time.Now()
	if _, err := spin(ctx, duration{MS: 20}); err != nil || time.Since(begun) < 20*time.Millisecond {
		t.Errorf("spun %v, %v", time.Since(begun), err)
	}
}

func TestHangShowsInAStackDump(t *testing.T) {
	cmd := alone(t, "hang", "")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line := make([]byte, len("there\n")); true {
		if _, err := io.ReadFull(stdout, line); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if !strings.Contains(stderr.String(), "hangForever") {
		t.Errorf("ended with %v and this on %s:\n%s", err, runtime.GOOS, stderr.String())
	}
}
