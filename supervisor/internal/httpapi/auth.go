package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"golang.org/x/time/rate"
)

// Token lets its bearer in.
type Token struct {
	Name   string // in logs and messages
	Secret string // never in either
	Role   Role
}

// caller is a token as the API keeps it. The one that stands for everybody has no digest.
type caller struct {
	name   string
	role   Role
	digest [sha256.Size]byte
	rate   *rate.Limiter // nil: no limit
}

func newCallers(tokens []Token, perSecond float64) []*caller {
	var all []*caller
	for _, t := range tokens {
		all = append(all, &caller{name: t.Name, role: t.Role, digest: sha256.Sum256([]byte(t.Secret)), rate: newLimiter(perSecond)})
	}
	return all
}

// newLimiter lets a second's worth of requests come at once.
func newLimiter(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond)))
}

// identify finds who sent a header. The time it takes says nothing of the secrets: all are
// compared, as digests.
func (a *API) identify(h http.Header) (*caller, error) {
	if len(a.callers) == 0 {
		return a.everybody, nil
	}
	header := h.Get("Authorization")
	if header == "" {
		return nil, errors.New("a token is needed: send the header Authorization: Bearer TOKEN")
	}
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "bearer") {
		return nil, errors.New("the Authorization header must be of the form: Bearer TOKEN")
	}
	digest := sha256.Sum256([]byte(strings.TrimSpace(secret)))
	var found *caller
	for _, c := range a.callers {
		if subtle.ConstantTimeCompare(c.digest[:], digest[:]) == 1 {
			found = c
		}
	}
	if found == nil {
		return nil, errors.New("this token is not known here")
	}
	return found, nil
}

// admit decides whether a call may go on, before its body is read.
func (a *API) admit(procedure string, h http.Header) (*caller, error) {
	c, err := a.identify(h)
	if err != nil {
		return nil, connect.NewError(connect.CodeUnauthenticated, err)
	}
	if !c.role.may(procedure) {
		_, method, _ := strings.Cut(procedure[1:], "/")
		return c, connect.NewError(connect.CodePermissionDenied,
			fmt.Errorf("token %q has the role %s; %s needs %s", c.name, c.role, method, whoMay(procedure)))
	}
	if c.rate == nil {
		return c, nil
	}
	if r := c.rate.Reserve(); r.Delay() > 0 {
		wait := r.Delay()
		r.Cancel()
		return c, exhausted(wait, "more than %v requests/s: slow down, or send tasks in batches", float64(c.rate.Limit()))
	}
	return c, nil
}
