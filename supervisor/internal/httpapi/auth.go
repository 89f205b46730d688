package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"connectrpc.com/connect"
)

// Token lets its bearer in.
type Token struct {
	Name   string // in logs and messages
	Secret string // never in either
	Role   Role
}

// identify finds who sent a header. The time it takes says nothing of the secrets: all are
// compared, as digests.
func (a *API) identify(h http.Header) (*caller, error) {
	callers := a.callers.Load()
	if callers.open {
		return callers.all[0], nil
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
	for _, c := range callers.all {
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
