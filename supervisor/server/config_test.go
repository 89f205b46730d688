package server_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/server"
)

const secret = "0123456789abcdef"

func TestConfigsThatAreRefused(t *testing.T) {
	tokens := []server.Token{{Name: "ci", Secret: secret, Role: server.RoleSubmit}}
	for says, change := range map[string]func(*server.Config){
		"supervisor.broker":                     func(c *server.Config) { c.Supervisor.Broker = nil },
		"api.address: other machines":           func(c *server.Config) { c.API.Address = "0.0.0.0:0" },
		"api.address: other machines can":       func(c *server.Config) { c.API.Address = ":7717"; c.API.Tokens = tokens },
		"api.address: other machines can reach": func(c *server.Config) { c.API.Address = "brood.example:1" },
		"api.tokens: other machines":            func(c *server.Config) { c.API.Address = "[::]:0"; c.API.Insecure = true },
		"neither host:port":                     func(c *server.Config) { c.API.Address = "localhost" },
		"unix: needs the path":                  func(c *server.Config) { c.API.Address = "unix:" },
		"api.tls_cert: a certificate and":       func(c *server.Config) { c.API.TLSCert = "x" },
		"api.tls_cert: open missing":            func(c *server.Config) { c.API.TLSCert, c.API.TLSKey = "missing", "missing" },
		"api.max_body":                          func(c *server.Config) { c.API.MaxBody = 1 },
		"api.max_buffered":                      func(c *server.Config) { c.API.MaxBuffered = 1 },
		"api.max_batch":                         func(c *server.Config) { c.API.MaxBatch = -1 },
		"api.rate_per_token":                    func(c *server.Config) { c.API.RatePerToken = -1 },
		"api.wait_limit":                        func(c *server.Config) { c.API.WaitLimit = -1 },
		"api.tokens[0].name":                    func(c *server.Config) { c.API.Tokens = []server.Token{{Secret: secret, Role: "read"}} },
		"api.tokens[0].secret: at least":        func(c *server.Config) { c.API.Tokens = []server.Token{{Name: "a", Secret: "short", Role: "read"}} },
		"api.tokens[0].role":                    func(c *server.Config) { c.API.Tokens = []server.Token{{Name: "a", Secret: secret, Role: "root"}} },
		"api.tokens[1].secret: it is also": func(c *server.Config) {
			c.API.Tokens = []server.Token{tokens[0], {Name: "b", Secret: secret, Role: "read"}}
		},
		"api.tokens[1].name: \"ci\" is also": func(c *server.Config) { c.API.Tokens = []server.Token{tokens[0], tokens[0]} },
	} {
		cfg := config(t)
		change(&cfg)
		_, err := server.New(cfg)
		if !errors.Is(err, server.ErrConfig) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want it to say %q", err, says)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("tells the secret: %v", err)
		}
	}
	cfg := config(t)
	cfg.Supervisor.Pools = nil
	if _, err := server.New(cfg); !errors.Is(err, supervisor.ErrConfig) {
		t.Errorf("without pools: %v", err)
	}
}

func TestAddressInUse(t *testing.T) {
	s := start(t, config(t))
	cfg := config(t)
	cfg.API.Address = s.Addr().String()
	other, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "api.address") {
		t.Errorf("got %v", err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}
