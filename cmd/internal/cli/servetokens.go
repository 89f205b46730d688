package cli

import (
	"os"

	"github.com/brood-run/brood/supervisor/server"
)

// readTokens reads the tokens where they are.
func (o *serveOptions) readTokens(errs *fileErrors) []server.Token {
	var all []server.Token
	for i := range o.tokens {
		t, err := o.tokens[i].resolve()
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
	case os.Getenv("BROOD_TOKEN") != "":
		whole = &tokenOptions{name: "BROOD_TOKEN", role: "admin", variable: "BROOD_TOKEN"}
	default:
		return all
	}
	t, err := whole.resolve()
	if err != nil {
		errs.add(nil, "token: %v", err)
	}
	return append(all, t)
}
