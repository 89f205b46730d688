package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
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

func TestE2EDeadLettersOfAServer(t *testing.T) {
	s := startServer(t, "--plugin", "faulty", "--workers", "1", "--memory", "--max-attempts", "1")
	s.client("submit", "--wait", "--task", "fail", "--id", "f", "--payload", `{"why":"because"}`).run(exitIncomplete)
	s.client("submit", "--wait", "--task", "fail", "--id", "g", "--payload", "2").run(exitIncomplete)
	if out := s.client("dead", "list").run(exitOK).stdout.String(); strings.Count(out, "\n") != 3 || !strings.Contains(out, "\nf ") {
		t.Errorf("dead list printed %s", out)
	}
	if out := s.client("dead", "show", "f", "--json").run(exitOK).stdout.String(); !strings.Contains(out, `"payload":{"why":"because"}`) {
		t.Errorf("dead show printed %s", out)
	}
	s.client("dead", "show", "nosuch").run(exitIncomplete).says("nosuch")
	s.client("dead", "retry", "f", "nosuch").run(exitIncomplete).says("nosuch: ")
	s.client("wait", "f").run(exitIncomplete)
	s.client("dead", "purge", "--all").run(exitUsage).says("add --yes")
	s.client("dead", "purge", "g").run(exitOK)
	if out := s.client("dead", "purge", "--all", "--yes").run(exitOK).stdout.String(); out != "1 dead letter removed\n" {
		t.Errorf("dead purge printed %s", out)
	}
	if out := s.client("dead", "list", "--json").run(exitOK).stdout.String(); out != "" {
		t.Errorf("dead list printed %s", out)
	}
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

func TestE2ETokens(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	s := newBrood(t, "serve", "--config", "brood.yaml")
	s.inDir("reader", "reader-"+secret+"\n")
	s.inDir("brood.yaml", "listen: 127.0.0.1:0\nmemory: true\ntokens:\n  ops: {role: admin, token: "+secret+"}\n  eyes: {role: read, file: reader}\npools:\n  p: {plugin: echo}\n")
	s.start()
	s.awaits("serving at ")
	_, rest, _ := strings.Cut(s.stderr.String(), "serving at ")
	addr, _, _ := strings.Cut(rest, ";")
	at := &served{s, addr}
	at.client("pools").run(exitUsage).says("give the server's token in BROOD_TOKEN or --token-file")
	at.client("pools").env("BROOD_TOKEN=wrong-" + secret).run(exitUsage)
	at.client("pools").env("BROOD_TOKEN=" + secret).run(exitOK)
	at.client("pools", "--token-file", s.inDir("reader", "")).run(exitOK)
	at.client("pause", "p", "--token-file", s.inDir("reader", "")).run(exitUsage).says("admin")
	if strings.Contains(s.stderr.String(), secret) {
		t.Errorf("the server prints its token: %s", s.stderr.String())
	}
	at.stop()
}

func TestE2ENoServer(t *testing.T) {
	addr := freeAddress(t)
	for _, args := range [][]string{{"get", "x"}, {"wait", "x"}, {"submit", "x"}, {"workers"}, {"events"}, {"drain"}} {
		newBrood(t, args...).env("BROOD_ADDR="+addr).run(exitCannotRun).
			says("no server at http://"+addr, `connection refused: start one with "brood serve --plugin P"`)
	}
}

func TestE2EServeUsage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		code int
		says string
	}{
		{[]string{"serve"}, exitUsage, "say what to serve: --plugin PATH|NAME, or --config FILE"},
		{[]string{"serve", "--plugin", "nosuch"}, exitCannotRun, `--plugin: there is no plugin "nosuch"`},
		{[]string{"serve", "--plugin", "echo", "x"}, exitUsage, "brood submit"},
		{[]string{"serve", "--config", "none.yaml"}, exitUsage, "config file: open none.yaml"},
		{[]string{"serve", "--config", "none.yaml", "--workers", "2"}, exitUsage, "--workers is about one pool"},
		{[]string{"serve", "--plugin", "echo", "--memory", "--data-dir", "x"}, exitUsage, "exclude each other"},
		{[]string{"serve", "--plugin", "echo", "--memory", "--listen", "0.0.0.0:0"}, exitUsage, "set tls_cert and tls_key"},
		{[]string{"serve", "--plugin", "echo", "--nats", "nats://a:b@c"}, exitUsage, "--nats-credentials"},
		{[]string{"serve", "--plugin", "echo", "--tasks", "ecco", "--memory"}, exitUsage, `serves no task "ecco", did you mean "echo"?`},
		{[]string{"submit", "--id", "x", "a", "b"}, exitUsage, "--id names one task"},
		{[]string{"submit", "--payload", "{"}, exitUsage, "--payload: not JSON"},
		{[]string{"submit", "--delay", "1s", "--at", "2030-01-01T00:00:00Z", "x"}, exitUsage, "not both"},
		{[]string{"submit", "--unique-ttl", "1s", "x"}, exitUsage, "--unique-ttl has no effect without unique-key"},
		{[]string{"wait"}, exitUsage, "the ID of a task is missing"},
		{[]string{"scale", "p", "0"}, exitUsage, "expected a whole number from 1 to 10000"},
		{[]string{"dead", "lost"}, exitUsage, `there is no "brood dead lost"`},
		{[]string{"get", "x", "--addr", "ftp://x"}, exitUsage, "expected an address such as"},
	}
	for _, tt := range tests {
		newBrood(t, tt.args...).run(tt.code).says(tt.says)
	}
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

func TestE2EServiceManager(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	told := newTranscript()
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			fmt.Fprintf(told, "%s\n", buf[:n])
		}
	}()
	b := newBrood(t, "serve", "--config", "brood.yaml").env("NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=200000")
	b.inDir("brood.yaml", "listen: 127.0.0.1:0\nmemory: true\npools:\n  p: {plugin: echo, workers: 1}\n")
	b.start()
	await := func(text string) {
		t.Helper()
		if !told.awaits(text, deadline) {
			t.Fatalf("the service manager was not told %q:\n%s\n%s", text, told.String(), b.stderr.String())
		}
	}
	await("READY=1\nSTATUS=1 pools")
	await("WATCHDOG=1")
	b.inDir("brood.yaml", "listen: 127.0.0.1:0\nmemory: true\npools:\n  p: {plugin: echo, wokers: 1}\n")
	b.signal(syscall.SIGHUP)
	await("RELOADING=1\nMONOTONIC_USEC=")
	b.awaits(`brood.yaml:4:21: unknown key "pools.p.wokers", did you mean "workers"?`)
	b.signal(syscall.SIGTERM)
	await("STOPPING=1")
	b.exit(exitOK)
	conn.Close()
	<-listening
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

func TestE2EConfigCheckAndSchema(t *testing.T) {
	sample, err := filepath.Abs(filepath.Join("..", "..", "..", "testdata", "brood.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	out := newBrood(t, "config", "check", sample).run(exitOK).stdout.String()
	for _, line := range []string{": ok\n", "keeps tasks in /var/lib/brood\n", "pool thumbnails: 2 workers of ", "for exec\n"} {
		if !strings.Contains(out, line) {
			t.Errorf("config check does not say %q: %s", line, out)
		}
	}
	if _, err := os.Stat("/var/lib/brood/lock"); err == nil {
		t.Log("there is a data directory on this machine; the check does not use it")
	}
	b := newBrood(t, "config", "check", "c.yaml")
	b.inDir("c.yaml", "pools:\n  a: {plugin: echo}\n  b: {plugin: echo}\n  c: {plugin: nosuch}\n  d: {plugin: echo, tasks: [eco]}\n")
	b.run(exitUsage).says(`c.yaml:4:7: pools.c.plugin: there is no plugin "nosuch"`, `c.yaml:5:29: pools.d.tasks: the plugin echo serves no task "eco", did you mean "echo"?`)
	b = newBrood(t, "config", "check", "c.yaml")
	b.inDir("c.yaml", "pools:\n  a: {plugin: echo}\n  b: {plugin: echo}\n")
	b.run(exitUsage).says(`brood: c.yaml:3:3: pools.b: the task "echo" is served by the pool a too`)
	if got := newBrood(t, "config", "schema").run(exitOK).stdout.String(); got != readFile(t, filepath.Join(filepath.Dir(sample), "brood.schema.json")) {
		t.Error("testdata/brood.schema.json is not what brood config schema prints")
	}
}
