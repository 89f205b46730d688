package cli

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// awaitStream makes events happen until the stream shows one: it begins at a time of its own.
func awaitStream(t *testing.T, s *served, following *transcript) {
	t.Helper()
	for n := range 100 {
		s.client("submit", "--wait", "--task", "ok", "--id", fmt.Sprint("probe", n), "--payload", "1").run(exitOK)
		if strings.Contains(following.String(), "probe") {
			return
		}
	}
	t.Fatal("no event came")
}

// Who reads no further, as head does, ends the command as the system ends others.
func TestE2EClosedPipeEndsEvents(t *testing.T) {
	s := startServer(t, "--plugin", "echo", "--memory")
	in, out := pipe(t)
	e := s.client("events")
	e.cmd.Stdout = out
	e.start()
	out.Close()
	in.Close()
	for n := 0; ; n++ {
		s.client("submit", "--wait", fmt.Sprint(n)).run(exitOK)
		select {
		case <-e.ended:
		default:
			if n < 100 {
				continue
			}
			t.Fatal("events goes on")
		}
		break
	}
	if status := e.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGPIPE {
		t.Errorf("it ended with %v: %s", e.cmd.ProcessState, e.stderr.String())
	}
	s.stop()
}

// Who follows a server that dies is told so.
func TestE2EEventsOfAServerThatDies(t *testing.T) {
	s := startServer(t, "--plugin", "faulty", "--memory")
	following := newTranscript()
	e := s.client("events")
	e.cmd.Stdout = following
	e.start()
	awaitStream(t, s, following)
	s.signal(syscall.SIGKILL)
	s.exit(-1)
	e.exit(exitCannotRun)
	if got, want := e.stderr.String(), "brood: the connection to "+s.addr+" was lost: the server has gone away\n"; got != want {
		t.Errorf("it said %q, not %q", got, want)
	}
}
