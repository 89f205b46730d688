package httpapi

import (
	"context"
	"crypto/sha256"
	"errors"

	"connectrpc.com/connect"
	"golang.org/x/time/rate"
)

// identity is a token as the API keeps it. That of everybody has no digest.
type identity struct {
	name   string
	role   Role
	digest [sha256.Size]byte
}

// caller is whoever has a token.
type caller struct {
	identity
	rate   *rate.Limiter   // nil: no limit
	valid  context.Context // ends when the token is one no more
	revoke context.CancelFunc
}

func newCaller(who identity, perSecond float64) *caller {
	c := &caller{identity: who, rate: newLimiter(perSecond)}
	c.valid, c.revoke = context.WithCancel(context.Background())
	return c
}

// newLimiter lets a second's worth of requests come at once.
func newLimiter(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond)))
}

// callers are all that are let in.
type callers struct {
	all  []*caller
	open bool // there are no tokens: everybody is the one caller
}

// SetTokens replaces Config.Tokens. A token that is not among them is refused from now on, and the
// streams and waits that were begun with it end. One that stays keeps its streams, and its share of requests.
func (a *API) SetTokens(tokens []Token) {
	a.setting.Lock()
	defer a.setting.Unlock()
	wanted := make([]identity, 0, len(tokens))
	for _, t := range tokens {
		wanted = append(wanted, identity{t.Name, t.Role, sha256.Sum256([]byte(t.Secret))})
	}
	next := &callers{open: len(tokens) == 0}
	if next.open {
		wanted = append(wanted, identity{name: "everybody", role: RoleAdmin})
	}
	left := map[identity]*caller{}
	if before := a.callers.Load(); before != nil {
		for _, c := range before.all {
			left[c.identity] = c
		}
	}
	for _, who := range wanted {
		c := left[who]
		if c == nil {
			c = newCaller(who, a.cfg.Limits.RatePerToken)
		}
		delete(left, who)
		next.all = append(next.all, c)
	}
	a.callers.Store(next)
	for _, c := range left {
		c.revoke()
	}
}

// errRevoked is what streams and waits get whose token is one no more.
var errRevoked = connect.NewError(connect.CodeUnauthenticated, errors.New("the token that this was begun with is not known here any more"))

// whileValid is a context that ends when the caller's token does, too.
func (c *caller) whileValid(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.valid, func() { cancel(errRevoked) })
	return ctx, func() { stop(); cancel(nil) }
}
