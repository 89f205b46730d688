package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestE2ETokens(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	s := newBrood(t, "serve", "--config", "brood.yaml")
	s.inDir("reader", "reader-"+secret+"\n")
	s.inDir("brood.yaml", "listen: 127.0.0.1:0\nmemory: true\ntokens:\n  ops: {role: admin, token: "+secret+"}\n  eyes: {role: read, file: reader}\npools:\n  p: {plugin: echo}\n")
	at := serves(s)
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
	await("EXTEND_TIMEOUT_USEC=360000000\nSTATUS=starting")
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

// A reload takes tokens away and gives others, and names what it cannot change.
func TestE2EReloadOfTokensAndSettings(t *testing.T) {
	const old, ops, next = "0123456789-old-token", "0123456789-ops-token", "0123456789-new-token"
	b := newBrood(t, "serve", "--config", "brood.yaml").env("OPS=" + ops)
	config := func(first, token string) {
		b.inDir("brood.yaml", first+"memory: true\ntokens:\n  ops: {role: admin, variable: OPS}\n  ci: {role: submit, token: "+token+"}\npools:\n  p: {plugin: echo, workers: 1}\n")
	}
	config("listen: 127.0.0.1:0\n", old)
	s := serves(b)
	submit := func(secret string, code int) *brood {
		return s.client("submit", "--wait", "x").env("BROOD_TOKEN=" + secret).run(code)
	}
	submit(old, exitOK)
	submit(next, exitUsage)
	config("listen: 127.0.0.1:1\nlimits: {max_batch: 10}\nsync: 5s\n", next)
	reload := func(code int) *brood { return s.client("reload").env("BROOD_TOKEN=" + ops).run(code) }
	reload(exitIncomplete).says("sync has an effect with data_dir only")
	submit(old, exitOK)
	config("listen: 127.0.0.1:1\nlimits: {max_batch: 10}\n", next)
	reload(exitOK).says("take effect when the server is started again: listen, limits.max_batch")
	submit(old, exitUsage).says("this token is not known here")
	submit(next, exitOK)
	s.stop()
}

// A plugin that serves other tasks is not put in place of one whose tasks wait, and at a restart they go on waiting.
func TestE2EPluginThatServesOthersKillsNoTask(t *testing.T) {
	b := newBrood(t, "serve", "--config", "brood.yaml")
	b.inDir("brood.yaml", "listen: 127.0.0.1:0\ndata_dir: data\npools:\n  p: {plugin: ./plugin, workers: 1}\n")
	plugin := b.inDir("plugin", "-")
	become := func(name string) {
		t.Helper()
		if err := errors.Join(os.Remove(plugin), os.Symlink(filepath.Join(buildDir, "plugins", name), plugin)); err != nil {
			t.Fatal(err)
		}
	}
	become("faulty")
	s := serves(b)
	s.client("pause", "p").run(exitOK)
	s.client("submit", "--task", "sleep", "--id", "x", "--payload", `{"ms":1}`).run(exitOK)
	become("echo")
	s.client("reload").run(exitIncomplete)
	if out := s.client("pools").run(exitOK).stdout.String(); !strings.Contains(out, "does not serve the task") {
		t.Errorf("pools printed %s", out)
	}
	s.client("resume", "p").run(exitOK)
	s.client("wait", "x").run(exitOK)
	s.client("pause", "p").run(exitOK)
	s.client("submit", "--task", "sleep", "--id", "y", "--payload", `{"ms":1}`).run(exitOK)
	s.stop()
	again := newBrood(t, "serve", "--config", "brood.yaml")
	again.cmd.Dir = b.cmd.Dir
	s = serves(again)
	s.client("resume", "p").run(exitOK)
	again.awaits("tasks are left in their queue that the plugin does not serve")
	if out := s.client("dead", "list", "--json").run(exitOK).stdout.String(); out != "" {
		t.Errorf("dead letters: %s", out)
	}
	s.stop()
}
