package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestE2EServeOnASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s := startServer(t, "--plugin", "echo", "--memory", "--listen", "unix:"+path)
	if s.addr != "unix:"+path {
		t.Errorf("it is served at %s", s.addr)
	}
	s.client("submit", "--wait", "x").run(exitOK)
	s.stop()
}

func TestE2ETLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificateFiles(t, dir)
	s := startServer(t, "--plugin", "echo", "--memory", "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(s.addr, "https://127.0.0.1:") {
		t.Errorf("it is served at %s", s.addr)
	}
	s.client("submit", "--wait", "x", "--ca-file", cert).run(exitOK)
	s.client("pools").run(exitCannotRun).says("certificate")
	s.client("pools", "--ca-file", key).run(exitUsage).says("holds no certificate in PEM")
	s.stop()
}

// certificateFiles makes a certificate for the loopback that is its own authority.
func certificateFiles(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A full queue holds the client up, and loses nothing.
func TestE2EFullQueue(t *testing.T) {
	s := startServer(t, "--plugin", "echo", "--memory", "--queue-size", "5")
	s.client("pause", "echo").run(exitOK)
	b := s.client("submit", "--retry-for", "0s").stdin(numbers(8)...).run(exitCannotRun).says("full", "were accepted before this ended")
	if n := len(b.words()); n > 5 {
		t.Errorf("%d were accepted", n)
	}
	s.client("resume", "echo").run(exitOK)
	if got := s.client("submit", "--wait").stdin(numbers(12)...).run(exitOK).results(); len(got) != 12 {
		t.Errorf("%d results", len(got))
	}
	s.stop()
}

// The file is read again, by a signal or by a command; a plugin that does not start is rolled back.
func TestE2EReload(t *testing.T) {
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	b := newBrood(t, "serve", "--config", "brood.yaml", "--log-level", "info")
	plugin := b.inDir("plugin", "")
	if err := os.Symlink(filepath.Join(buildDir, "plugins", "echo"), plugin); err != nil {
		t.Fatal(err)
	}
	config := func(workers, more string) {
		t.Helper()
		b.inDir("brood.yaml", "listen: 127.0.0.1:0\nmemory: true\n"+more+"pools:\n  p: {plugin: ./plugin, workers: "+workers+", start_timeout: 2s}\n")
	}
	config("1", "")
	b.start()
	b.awaits("serving at ")
	_, rest, _ := strings.Cut(b.stderr.String(), "serving at ")
	addr, _, _ := strings.Cut(rest, ";")
	s := &served{b, addr}

	config("3", "grace_period: 5s\n")
	if out := s.client("reload").run(exitOK).stdout.String(); !strings.Contains(out, "p     reloaded") && !strings.Contains(out, "p     unchanged") {
		t.Errorf("reload printed %s", out)
	}
	b.awaits("take effect after a restart only: settings=grace_period")
	if out := s.client("pools", "--json").run(exitOK).stdout.String(); !strings.Contains(out, `"workers":3`) {
		t.Errorf("pools printed %s", out)
	}
	if err := os.Remove(plugin); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(plugin, []byte("#!/bin/sh\necho broken on purpose >&2\nexit 7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out := s.client("reload").run(exitIncomplete).stdout.String(); !strings.Contains(out, "rolled_back") {
		t.Errorf("reload printed %s", out)
	}
	if out := s.client("pools").run(exitOK).stdout.String(); !strings.Contains(out, "p: the last reload was rolled back") {
		t.Errorf("pools printed %s", out)
	}
	s.client("submit", "--wait", "still").run(exitOK)
	if err := os.Remove(plugin); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(buildDir, "plugins", "echo"), plugin); err != nil {
		t.Fatal(err)
	}
	b.signal(syscall.SIGHUP)
	b.awaits("brood: reloaded")
	s.client("submit", "--wait", "again").run(exitOK)
	config("3", "nonsense: 1\n")
	s.client("reload").run(exitIncomplete).says(`brood.yaml:3:1: unknown key "nonsense"`)
	s.stop()
}

// A plugin has no business with the tokens of the server that runs it.
func TestE2EWorkersDoNotInheritTheToken(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	b := newBrood(t, "serve", "--plugin", "exec", "--memory", "--listen", "127.0.0.1:0").env("BROOD_TOKEN=" + secret)
	b.start()
	b.awaits("serving at ")
	_, rest, _ := strings.Cut(b.stderr.String(), "serving at ")
	addr, _, _ := strings.Cut(rest, ";")
	s := &served{b, addr}
	s.client("pools").run(exitUsage)
	r := s.client("submit", "--wait", "--payload", `["sh","-c","echo token=$BROOD_TOKEN."]`).env("BROOD_TOKEN=" + secret).run(exitOK).results()
	if out := string(r[0].Result); !strings.Contains(out, `token=.`) {
		t.Errorf("a worker printed %s", out)
	}
	s.stop()
}
