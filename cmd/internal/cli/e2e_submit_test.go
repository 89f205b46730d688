package cli

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

func TestE2ESubmitLines(t *testing.T) {
	s := startServer(t, "--plugin", "echo", "--memory")
	lines := []string{`{"id":"a","payload":1}`, `oops`, ``, `{"id":"b","payload":2,"delay":"1ms","unique_key":"u"}`, `{"payload":3,"nosuch":1}`, `{"payload":1,"delay":"1s","at":"2030-01-01T00:00:00Z"}`}
	b := s.client("submit").stdin(lines...).run(exitIncomplete)
	if got := b.words(); len(got) != 2 || got[0] != "a" || got[1] != "b" {
		t.Errorf("printed %q", got)
	}
	b.says("brood: line 2: not JSON", "brood: line 5: unknown key \"nosuch\"", "concurrency_limit", "brood: line 6: give delay or at, not both")
	all := byID(t, s.client("submit", "--wait").stdin(numbers(2000)...).run(exitOK).results())
	if len(all) != 2000 {
		t.Errorf("%d results", len(all))
	}
	rejected := s.client("submit", "--wait", "--input", "-").stdin(lines[1], `{"payload":5}`).run(exitIncomplete).results()
	if len(rejected) != 2 || rejected[0].Status != "rejected" && rejected[1].Status != "rejected" {
		t.Errorf("results %+v", rejected)
	}
	s.client("submit").run(exitOK).says("the input held no task")
	s.client("submit", "--unique-key", "k", "--delay", "1h", "first").run(exitOK)
	held := s.client("submit", "--unique-key", "k", "--wait", "second").run(exitIncomplete).results()
	if len(held) != 1 || held[0].Status != "rejected" || held[0].Error.Kind != "already_exists" {
		t.Errorf("results %+v", held)
	}
	s.client("submit", "--unique-key", "k", "third").run(exitIncomplete).says("unique key \"k\" is held by task ")
	s.stop()
}

// A server that is killed while tasks are sent costs its client nothing but time.
func TestE2ESubmitOutlivesTheServer(t *testing.T) {
	dir, addr := t.TempDir(), freeAddress(t)
	args := []string{"serve", "--plugin", "echo", "--data-dir", dir, "--listen", addr}
	first := newBrood(t, args...).start()
	first.awaits("serving at")
	in, feed := pipe(t)
	submit := newBrood(t, "submit", "--batch", "10").env("BROOD_ADDR=" + addr)
	submit.cmd.Stdin = in
	out := newTranscript()
	submit.cmd.Stdout = out
	submit.start()
	for n := range 100 {
		fmt.Fprintf(feed, "{\"id\":\"early%d\",\"payload\":%d}\n", n, n)
	}
	if !out.awaits("early99\n", deadline) {
		t.Fatal(out.String())
	}
	first.signal(syscall.SIGKILL)
	first.exit(-1)
	for n := range 100 {
		fmt.Fprintf(feed, "{\"id\":\"late%d\",\"payload\":%d}\n", n, n)
	}
	second := newBrood(t, args...).start()
	second.awaits("serving at")
	feed.Close()
	submit.exit(exitOK)
	if n := strings.Count(out.String(), "\n"); n != 200 {
		t.Errorf("%d ids", n)
	}
	(&served{second, addr}).client("wait", "early0", "late99").run(exitOK)
	(&served{second, addr}).stop()
}

func TestE2EInterruptedWait(t *testing.T) {
	s := startServer(t, "--plugin", "echo", "--memory")
	s.client("pause", "echo").run(exitOK)
	s.client("submit", "--id", "x", "1").run(exitOK)
	s.client("wait", "x", "--timeout", "50ms").run(exitIncomplete).says("x: no result within 50ms; the task goes on")
	s.client("wait", "nosuch").run(exitIncomplete).says("nosuch")
	w := s.client("submit", "--wait", "--json", "2")
	w.start()
	s.client("pools").run(exitOK) // the other has most likely begun; if not, it is interrupted in its beginning
	w.signal(syscall.SIGINT)
	<-w.ended
	if code := w.cmd.ProcessState.ExitCode(); code != exitInterrupted && code != -1 {
		t.Errorf("exit code %d", code)
	}
	s.client("cancel", "x").run(exitOK)
	if r := s.client("wait", "x").run(exitIncomplete).results(); r[0].Status != "cancelled" {
		t.Errorf("result %+v", r)
	}
	s.stop()
}

func TestE2ENoServer(t *testing.T) {
	addr := freeAddress(t)
	for _, args := range [][]string{{"get", "x"}, {"wait", "x"}, {"submit", "x"}, {"workers"}, {"events"}, {"drain"}} {
		newBrood(t, args...).env("BROOD_ADDR="+addr).run(exitCannotRun).
			says("no server at http://"+addr, `connection refused: start one with "brood serve --plugin P"`)
	}
}

// Tasks that take long keep no other's result back, however the ids come.
func TestE2EWaitShowsWhatIsDone(t *testing.T) {
	s := startServer(t, "--plugin", "faulty", "--workers", "2", "--memory")
	var slow []string
	for n := range 2 * waitersAtOnce {
		slow = append(slow, fmt.Sprint("slow", n))
		s.client("submit", "--task", "ok", "--delay", "1h", "--id", slow[n], "1").run(exitOK)
	}
	in, feed := pipe(t)
	w := s.client("wait", "-")
	w.cmd.Stdin = in
	out := newTranscript()
	w.cmd.Stdout = out
	w.start()
	for n, id := range slow {
		fmt.Fprintln(feed, id)
		quick := fmt.Sprint("quick", n)
		s.client("submit", "--task", "ok", "--id", quick, "1").run(exitOK)
		fmt.Fprintln(feed, quick)
		if !out.awaits(quick, deadline) {
			t.Fatalf("%s is not shown: %s", quick, out.String())
		}
	}
	feed.Close()
	s.client(append([]string{"cancel"}, slow...)...).run(exitOK)
	w.exit(exitIncomplete)
	if n := strings.Count(out.String(), "\n"); n != 2*len(slow) {
		t.Errorf("%d results", n)
	}
	s.stop()
}

// A server that takes little at a time gets little at a time.
func TestE2EBatchesThatAreTooLarge(t *testing.T) {
	s := startServer(t, "--plugin", "echo", "--memory", "--max-batch", "3")
	if got := byID(t, s.client("submit", "--wait").stdin(numbers(50)...).run(exitOK).results()); len(got) != 50 {
		t.Errorf("%d results", len(got))
	}
	ids := s.client("submit").stdin(numbers(20)...).run(exitOK).words()
	if got := byID(t, s.client(append([]string{"wait"}, ids...)...).run(exitOK).results()); len(got) != 20 {
		t.Errorf("%d results", len(got))
	}
	s.stop()
}

// The same of one that takes few bytes at a time.
func TestE2EMessagesThatAreTooLarge(t *testing.T) {
	s := startServer(t, "--plugin", "echo", "--memory", "--max-payload", "64KiB", "--max-body", "64KiB")
	lines := make([]string, 300)
	for i := range lines {
		lines[i] = `{"payload":"` + strings.Repeat("x", 9000) + `"}`
	}
	if got := s.client("submit").stdin(lines...).run(exitOK).words(); len(got) != 300 {
		t.Errorf("%d were accepted", len(got))
	}
	lines[150] = `{"payload":"` + strings.Repeat("x", 70_000) + `"}`
	b := s.client("submit").stdin(lines...).run(exitIncomplete).says("brood: line 151: ", "message size")
	if got := b.words(); len(got) != 299 {
		t.Errorf("%d were accepted", len(got))
	}
	s.stop()
}
