package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// served is a running server and where it is.
type served struct {
	*brood
	addr string
}

// startServer serves on a free port, or where args say.
func startServer(t *testing.T, args ...string) *served {
	t.Helper()
	b := newBrood(t, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	return serves(b)
}

// serves starts a server and finds out where it is.
func serves(b *brood) *served {
	b.start()
	b.awaits("brood: serving at ")
	_, rest, _ := strings.Cut(b.stderr.String(), "serving at ")
	addr, _, _ := strings.Cut(rest, ";")
	return &served{b, addr}
}

// client prepares a command that talks to the server.
func (s *served) client(args ...string) *brood {
	s.t.Helper()
	return newBrood(s.t, args...).env("BROOD_ADDR=" + s.addr)
}

// stop ends the server in order.
func (s *served) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	s.exit(exitOK)
}

// words are the fields of stdout's lines.
func (b *brood) words() []string { return strings.Fields(b.stdout.String()) }

func TestE2EServeRunsWhatIsSubmitted(t *testing.T) {
	s := startServer(t, "--plugin", "echo", "--workers", "2", "--data-dir", "data")
	s.says("pool echo: 2 workers of ", " for echo", "brood: try: brood submit --wait --addr "+s.addr+" 'some text'")
	results := s.client("submit", "--wait", "hello", "world", "--meta", "k=v").run(exitOK).results()
	if len(results) != 2 || results[0].Status != "completed" {
		t.Fatalf("results %+v", results)
	}
	id := s.client("submit", "--payload", `{"n":[1, 2]}`, "--id", "mine").run(exitOK).words()
	if len(id) != 1 || id[0] != "mine" {
		t.Errorf("submit printed %q", id)
	}
	s.client("submit", "--payload", "1", "--id", "mine").run(exitOK).says("1 task was there already")
	if r := s.client("wait", "mine").run(exitOK).results(); len(r) != 1 || string(r[0].Result) != `{"n":[1, 2]}` {
		t.Errorf("wait printed %+v", r)
	}
	if out := s.client("get", "mine").run(exitOK).stdout.String(); !strings.Contains(out, "state      completed\n") || !strings.Contains(out, `{"n":[1, 2]}`) {
		t.Errorf("get printed %s", out)
	}
	if w := s.client("workers").run(exitOK).stdout.String(); strings.Count(w, "\n") != 3 || !strings.HasPrefix(w, "NAME ") {
		t.Errorf("workers printed %s", w)
	}
	if p := s.client("pools", "--json").run(exitOK).stdout.String(); !strings.Contains(p, `"name":"echo"`) || !strings.Contains(p, `"done":3`) {
		t.Errorf("pools printed %s", p)
	}
	s.stop()
}

func TestE2ETasksSurviveASIGKILL(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, "--plugin", "echo", "--workers", "1", "--data-dir", dir)
	s.client("pause", "echo").run(exitOK)
	ids := s.client("submit").stdin(numbers(1000)...).run(exitOK).words()
	s.signal(syscall.SIGKILL)
	s.exit(-1)

	s = startServer(t, "--plugin", "echo", "--workers", "1", "--data-dir", dir)
	if p := s.client("pools").run(exitOK).stdout.String(); !strings.Contains(p, "paused") || !strings.Contains(p, "1000") {
		t.Errorf("pools printed %s", p)
	}
	s.client("resume", "echo").run(exitOK)
	if got := byID(t, s.client(append([]string{"wait"}, ids...)...).run(exitOK).results()); len(got) != 1000 {
		t.Errorf("%d results", len(got))
	}
	if got := byID(t, s.client("wait", "-").stdin(ids...).run(exitOK).results()); len(got) != 1000 {
		t.Errorf("%d results of ids on standard input", len(got))
	}
	s.stop()
}

func TestE2EServeDrains(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--plugin", "faulty", "--workers", "1", "--window", "1", "--data-dir", dir}
	s := startServer(t, args...)
	events := s.client("events", "--kind", "task_started")
	following := newTranscript()
	events.cmd.Stdout = following
	events.start()
	awaitStream(t, s, following)
	s.client("submit", "--task", "sleep", "--id", "slow", "--payload", `{"ms":1500}`).run(exitOK)
	s.client("submit", "--task", "ok", "--id", "later", "--payload", "1").run(exitOK)
	if !following.awaits("slow", deadline) {
		t.Fatalf("events printed %s", following.String())
	}
	s.stop()
	events.exit(exitCannotRun)

	s = startServer(t, args...)
	got := byID(t, s.client("wait", "slow", "later").run(exitOK).results())
	if len(got["slow"].Attempts)+len(got["later"].Attempts) > 0 {
		t.Errorf("attempts were lost: %+v", got)
	}
	s.stop()
}

func TestE2ESecondSignalEndsTheServer(t *testing.T) {
	s := startServer(t, "--plugin", "faulty", "--workers", "1", "--memory", "--log-level", "info")
	s.client("submit", "--task", "hang", "--payload", "null").run(exitOK)
	s.signal(syscall.SIGTERM)
	s.awaits("a second signal ends it now")
	s.signal(syscall.SIGTERM)
	s.exit(exitInterrupted)
}

func TestE2EOneServerForADirectory(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, "--plugin", "echo", "--data-dir", dir)
	newBrood(t, "serve", "--plugin", "echo", "--data-dir", dir, "--listen", "127.0.0.1:0").run(exitCannotRun).
		says("in use by", fmt.Sprint(s.cmd.Process.Pid))
	newBrood(t, "serve", "--plugin", "echo", "--memory", "--listen", strings.TrimPrefix(s.addr, "http://")).run(exitCannotRun).
		says("address already in use")
	s.stop()
}

func TestE2EJSONOverHTTP(t *testing.T) {
	s := startServer(t, "--plugin", "echo", "--memory")
	post := func(method, body string) map[string]any {
		t.Helper()
		r, err := http.Post(s.addr+"/brood.v1."+method, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		raw, _ := io.ReadAll(r.Body)
		var answer map[string]any
		if err := json.Unmarshal(raw, &answer); err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s: %s", method, r.Status, raw)
		}
		return answer
	}
	post("TaskService/Submit", `{"id":"web","payload":{"hello":"world"}}`)
	answer := post("TaskService/Wait", `{"id":"web"}`)
	if got := fmt.Sprint(answer["task"].(map[string]any)["result"]); got != "map[hello:world]" {
		t.Errorf("result %s", got)
	}
	http.DefaultClient.CloseIdleConnections()
	s.stop()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
