package cli

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/token"

	"github.com/brood-run/brood/cmd/internal/client"
	"github.com/brood-run/brood/supervisor/server"
)

// tokenOptions is a token of the config file.
type tokenOptions struct {
	name     string
	role     string
	file     string
	variable string
	secret   string // the token itself, for files that nobody else can read

	at *token.Token
}

func (t *tokenOptions) settings() []setting {
	return []setting{
		{"role", "`ROLE` of whoever has the token: admin may do everything, submit may submit, wait and cancel, read may look", "", single, choice(&t.role, "admin", "submit", "read")},
		{"file", "`FILE` that holds the token", "", single, text(&t.file)},
		{"variable", "`NAME` of the variable that holds it", "", single, text(&t.variable)},
		{"token", "the `TOKEN` itself, in a config file that nobody else can read (mode 0600)", "", single, text(&t.secret)},
	}
}

// check says what is missing.
func (t *tokenOptions) check() error {
	ways := 0
	for _, way := range []string{t.file, t.variable, t.secret} {
		if way != "" {
			ways++
		}
	}
	switch {
	case t.role == "":
		return fmt.Errorf("role is missing: admin, submit or read")
	case ways != 1:
		return fmt.Errorf("say where the token is: file or variable, one of the two")
	}
	return nil
}

// where names the place of the token.
func (t *tokenOptions) where() string {
	switch {
	case t.file != "":
		return t.file
	case t.variable != "":
		return "the variable " + t.variable
	}
	return "token"
}

// resolve reads the token.
func (t *tokenOptions) resolve(variable func(string) string) (server.Token, error) {
	var secret string
	var err error
	switch {
	case t.file != "":
		secret, err = client.ReadToken(t.file)
	case t.variable != "":
		secret, err = client.CheckToken(strings.TrimSpace(variable(t.variable)), t.where())
	default:
		secret, err = client.CheckToken(t.secret, t.where())
	}
	return server.Token{Name: t.name, Secret: secret, Role: server.Role(t.role)}, err
}
