package cli

import (
	"net"
	"strings"
	"testing"
)

// What is wrong is told in the words of whoever wrote it, and where.
func TestE2EServeErrorsNameThePlace(t *testing.T) {
	const pool = "memory: true\npools: {p: {plugin: echo}}\n"
	taken := takenAddress(t)
	tests := []struct {
		file string
		args []string
		code int
		says string
	}{
		{"limits: {max_body: 1KiB}\n", nil, exitUsage, "brood: c.yaml:3:10: limits.max_body: 1024 is not within 16777216 to 4294967296\n"},
		{"listen: nonsense\n", nil, exitUsage, `brood: c.yaml:3:1: listen: "nonsense" is neither host:port nor unix:/path`},
		{"listen: nonsense\n", []string{"--listen", "worse"}, exitUsage, `brood: --listen: "worse" is neither`},
		{"listen: 0.0.0.0:0\ninsecure: true\n", nil, exitUsage, "brood: tokens: other machines can reach 0.0.0.0:0"},
		{"tls: {cert: none.pem, key: none.pem}\n", nil, exitUsage, "brood: c.yaml:3:7: tls.cert: open none.pem"},
		{"tokens: {ops: {role: admin, variable: SHORT}}\n", nil, exitUsage, "brood: c.yaml:3:10: tokens.ops: the variable SHORT: at least 16 characters"},
		{"tokens: {a: {role: admin, variable: LONG}, b: {role: read, variable: LONG}}\n", nil, exitUsage, "brood: c.yaml:3:44: tokens.b: the variable LONG: it is also that of tokens.a\n"},
		{"listen: " + taken + "\n", nil, exitCannotRun, "brood: c.yaml:3:1: listen: listen tcp " + taken},
		{"", []string{"--plugin", "echo", "--memory", "--max-body", "1KiB"}, exitUsage, "brood: --max-body: 1024 is not within"},
		{"", []string{"--plugin", "echo", "--memory", "--listen", taken}, exitCannotRun, "brood: --listen: listen tcp " + taken},
		{"", []string{"--plugin", "echo", "--memory", "--cpu-limit", "2"}, exitUsage, "brood: --cpu-limit: cpu_limit is kept by a cgroup"},
	}
	for _, tt := range tests {
		args := append([]string{"serve"}, tt.args...)
		if tt.file != "" {
			args = append(args, "--config", "c.yaml")
		}
		b := newBrood(t, args...).env("SHORT=abc", "LONG=0123456789abcdef")
		b.inDir("c.yaml", pool+tt.file)
		b.run(tt.code).says(tt.says)
		if strings.Contains(b.stderr.String(), "api.") || strings.Contains(b.stderr.String(), "invalid config") {
			t.Errorf("%q, %q: %s", tt.file, tt.args, b.stderr.String())
		}
	}
}

// takenAddress is one that somebody listens on.
func takenAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// The same at a reload.
func TestE2EReloadErrorsNameThePlace(t *testing.T) {
	const config = "listen: 127.0.0.1:0\nmemory: true\npools: {p: {plugin: echo, workers: 1}}\n"
	b := newBrood(t, "serve", "--config", "c.yaml").env("SHORT=abc")
	b.inDir("c.yaml", config)
	s := serves(b)
	b.inDir("c.yaml", config+"tokens: {ops: {role: admin, variable: SHORT}}\n")
	s.client("reload").run(exitIncomplete).says("c.yaml:4:10: tokens.ops: the variable SHORT: at least 16 characters")
	s.stop()
}
