package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestGrandchildIsLeftBehindWithoutOurPipes(t *testing.T) {
	for _, setsid := range []bool{false, true} {
		t.Run(fmt.Sprintf("setsid=%v", setsid), func(t *testing.T) {
			n := &nursery{}
			got, err := n.grandchild(t.Context(), grandchildParams{Setsid: setsid, MS: 60_000})
			if err != nil {
				t.Fatal(err)
			}
			session, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(got.PID), 0, 0)
			if errno != 0 || (int(session) == got.PID) != setsid {
				t.Errorf("session %d of process %d, %v", session, got.PID, errno)
			}
			for fd := range 3 {
				if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", got.PID, fd)); err != nil || to != os.DevNull {
					t.Errorf("fd %d is %q, %v", fd, to, err)
				}
			}
			if err := syscall.Kill(got.PID, syscall.SIGKILL); err != nil {
				t.Errorf("it is not there: %v", err)
			}
			n.reapers.Wait()
			if err := syscall.Kill(got.PID, 0); err != syscall.ESRCH {
				t.Errorf("it was not reaped: %v", err)
			}
		})
	}
}

// The process that started it is gone, and it lives on.
func TestGrandchildOutlivesItsParent(t *testing.T) {
	stdout, stderr := output(t, alone(t, "grandchild", `{"ms":60000}`))
	var answer grandchildAnswer
	if err := json.NewDecoder(strings.NewReader(stdout)).Decode(&answer); err != nil {
		t.Fatalf("answered %q, %q: %v", stdout, stderr, err)
	}
	if err := syscall.Kill(answer.PID, syscall.SIGKILL); err != nil {
		t.Errorf("process %d: %v", answer.PID, err)
	}
}

func TestGrandchildEndsAfterItsTime(t *testing.T) {
	n := &nursery{}
	if _, err := n.grandchild(t.Context(), grandchildParams{MS: 1}); err != nil {
		t.Fatal(err)
	}
	n.reapers.Wait()
}
