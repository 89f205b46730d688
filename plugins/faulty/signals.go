package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// signalNumber is a signal in JSON: 11, "11", "SEGV" or "SIGSEGV".
type signalNumber syscall.Signal

// maxSignal is the highest number Linux has.
const maxSignal = 64

// UnmarshalJSON implements json.Unmarshaler.
func (s *signalNumber) UnmarshalJSON(text []byte) error {
	var name string
	if json.Unmarshal(text, &name) != nil {
		name = string(text) // a bare number
	}
	n, err := parseSignal(name)
	*s = signalNumber(n)
	return err
}

func parseSignal(name string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= maxSignal {
		return syscall.Signal(n), nil
	}
	if s, ok := signals()[strings.TrimPrefix(strings.ToUpper(name), "SIG")]; ok {
		return s, nil
	}
	return 0, fmt.Errorf("unknown signal %q; use a name such as SEGV or SIGSEGV, or a number from 1 to %d", name, maxSignal)
}

func signals() map[string]syscall.Signal {
	return map[string]syscall.Signal{
		"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "BUS": syscall.SIGBUS, "CHLD": syscall.SIGCHLD,
		"CONT": syscall.SIGCONT, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP, "ILL": syscall.SIGILL,
		"INT": syscall.SIGINT, "IO": syscall.SIGIO, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE,
		"PROF": syscall.SIGPROF, "QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV, "STOP": syscall.SIGSTOP,
		"SYS": syscall.SIGSYS, "TERM": syscall.SIGTERM, "TRAP": syscall.SIGTRAP, "TSTP": syscall.SIGTSTP,
		"TTIN": syscall.SIGTTIN, "TTOU": syscall.SIGTTOU, "URG": syscall.SIGURG, "USR1": syscall.SIGUSR1,
		"USR2": syscall.SIGUSR2, "VTALRM": syscall.SIGVTALRM, "WINCH": syscall.SIGWINCH,
		"XCPU": syscall.SIGXCPU, "XFSZ": syscall.SIGXFSZ,
	}
}
