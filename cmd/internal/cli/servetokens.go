package cli

import (
	"github.com/brood-run/brood/supervisor/server"
)

// tokenVariables may hold tokens.
func (o *serveOptions) tokenVariables() []string {
	names := []string{tokenVariable}
	for _, t := range o.tokens {
		if t.variable != "" {
			names = append(names, t.variable)
		}
	}
	return names
}

// readTokens reads the tokens where they are.
func (o *serveOptions) readTokens(variable func(string) string, errs *fileErrors) []server.Token {
	var all []server.Token
	for i := range o.tokens {
		t, err := o.tokens[i].resolve(variable)
		if err != nil {
			errs.add(o.tokens[i].at, "tokens.%s: %v", o.tokens[i].name, err)
			continue
		}
		all = append(all, t)
	}
	var whole *tokenOptions
	switch {
	case o.tokenFile != "":
		whole = &tokenOptions{name: "token-file", role: "admin", file: o.tokenFile}
	case variable(tokenVariable) != "":
		whole = &tokenOptions{name: tokenVariable, role: "admin", variable: tokenVariable}
	default:
		return all
	}
	t, err := whole.resolve(variable)
	if err != nil {
		errs.add(nil, "token: %v", err)
	}
	return append(all, t)
}
