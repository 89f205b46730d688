package main

import (
	"strings"
	"syscall"
	"testing"
)

func TestSignalEndsTheProcessByThatSignal(t *testing.T) {
	for payload, want := range map[string]syscall.Signal{
		"":                     syscall.SIGSEGV,
		`{"signal":"SIGSEGV"}`: syscall.SIGSEGV,
		`{"signal":"abrt"}`:    syscall.SIGABRT,
		`{"signal":"BUS"}`:     syscall.SIGBUS,
		`{"signal":"FPE"}`:     syscall.SIGFPE,
		`{"signal":"QUIT"}`:    syscall.SIGQUIT,
		`{"signal":"TERM"}`:    syscall.SIGTERM,
		`{"signal":"PIPE"}`:    syscall.SIGPIPE,
		`{"signal":9}`:         syscall.SIGKILL,
		`{"signal":"34"}`:      syscall.Signal(34),
	} {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			cmd := alone(t, "signal", payload)
			stdout, stderr := output(t, cmd)
			ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !ws.Signaled() || ws.Signal() != want {
				t.Errorf("ended with %v, want signal %v; it printed %q, %q", cmd.ProcessState, want, stdout, stderr)
			}
		})
	}
}

func TestExitEndsTheProcessWithThatCode(t *testing.T) {
	for payload, want := range map[string]int{"": 1, `{"code":0}`: 0, `{"code":42}`: 42} {
		cmd := alone(t, "exit", payload)
		if stdout, _ := output(t, cmd); cmd.ProcessState.ExitCode() != want || stdout != "" {
			t.Errorf("exit %s: code %d and %q, want %d", payload, cmd.ProcessState.ExitCode(), stdout, want)
		}
	}
}

func TestStopStopsTheProcessUntilItIsContinued(t *testing.T) {
	cmd := alone(t, "stop", "")
	var stdout strings.Builder
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(cmd.Process.Pid, &ws, syscall.WUNTRACED, nil); err != nil || ws.StopSignal() != syscall.SIGSTOP {
		t.Fatalf("wait status %#x, %v; want stopped", int(ws), err)
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || stdout.String() != "{}\n" {
		t.Errorf("continued: %v, %q", err, stdout.String())
	}
}

func TestStartMisbehaviour(t *testing.T) {
	for how, want := range map[string]struct {
		code           int
		stdout, stderr string
	}{
		"exit":    {7, "", "cannot start, as asked"},
		"garbage": {0, "this is not the line", ""},
		"slow":    {0, "{}", ""},
		"wrong":   {2, "", `FAULTY_START is "wrong"`},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cmd := alone(t, "ok", "", "FAULTY_START="+how)
			stdout, stderr := output(t, cmd)
			if cmd.ProcessState.ExitCode() != want.code || !strings.Contains(stdout, want.stdout) || !strings.Contains(stderr, want.stderr) {
				t.Errorf("code %d, %q, %q; want %+v", cmd.ProcessState.ExitCode(), stdout, stderr, want)
			}
		})
	}
}

func TestParseSignal(t *testing.T) {
	for _, bad := range []string{"", "SIG", "0", "65", "-9", "SEGVX", "1e1"} {
		if s, err := parseSignal(bad); err == nil {
			t.Errorf("parseSignal(%q) = %v", bad, s)
		}
	}
	for name, want := range signals() {
		for _, spelling := range []string{name, "SIG" + name, strings.ToLower(name)} {
			if got, err := parseSignal(spelling); err != nil || got != want {
				t.Errorf("parseSignal(%q) = %v, %v; want %v", spelling, got, err, want)
			}
		}
	}
}
