package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/server"
)

// certify writes a certificate of a name and its key.
func certify(t testing.TB, dir, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// shown is the name in the certificate that a server shows.
func shown(t testing.TB, s *server.Server) string {
	t.Helper()
	c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestTLSFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t)
	cfg.API.TLSCert, cfg.API.TLSKey = certify(t, dir, "old")
	cfg.API.Tokens = []server.Token{{Name: "ci", Secret: secret, Role: server.RoleSubmit}}
	cfg.API.Address = "0.0.0.0:0"
	s := start(t, cfg)
	if name := shown(t, s); name != "old" {
		t.Errorf("shows %s", name)
	}
	certify(t, dir, "new")
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if name := shown(t, s); name != "new" {
		t.Errorf("after Reload it shows %s", name)
	}
	if err := os.WriteFile(cfg.API.TLSCert, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context()); err == nil {
		t.Error("a broken certificate was taken")
	}
	if name := shown(t, s); name != "new" {
		t.Errorf("after a failed Reload it shows %s", name)
	}
	// gRPC over TLS.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	_, port, _ := net.SplitHostPort(s.Addr().String())
	tasks := broodv1.NewTaskServiceClient(&http.Client{Transport: transport}, "https://127.0.0.1:"+port, connect.WithGRPC())
	if _, err := tasks.Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok"}); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("without a token: %v", err)
	}
	ctx, info := connect.NewClientContext(t.Context())
	info.RequestHeader().Set("Authorization", "Bearer "+secret)
	if _, err := tasks.Submit(ctx, &broodv1.SubmitRequest{Task: "ok"}); err != nil {
		t.Error(err)
	}
}
