package httpapi

import (
	"context"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// as shows a token with each call.
func (r *rig) as(secret string) broodv1.TaskServiceClient {
	return broodv1.NewTaskServiceClient(r.showing(secret), r.web.URL)
}

func (r *rig) showing(secret string) *http.Client {
	return &http.Client{Transport: showing{secret, r.http2.Transport}}
}

type showing struct {
	secret string
	next   http.RoundTripper
}

func (s showing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+s.secret)
	return s.next.RoundTrip(r)
}

// A token that is taken away ends what was begun with it; another one does not notice.
func TestTokensAreReplaced(t *testing.T) {
	r := newRig(t, setup{tokens: threeTokens(), idle: true})
	submit := func(secret string) error {
		_, err := r.as(secret).Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok"})
		return err
	}
	gone, err := r.as(submitSecret).SubmitStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stays, err := r.as(adminSecret).SubmitStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	exchange := func(s *connect.BidiStreamForClientSimple[broodv1.SubmitRequest, broodv1.SubmitResponse]) error {
		if err := s.Send(&broodv1.SubmitRequest{Task: "ok"}); err != nil {
			return err
		}
		_, err := s.Receive()
		return err
	}
	for _, s := range []*connect.BidiStreamForClientSimple[broodv1.SubmitRequest, broodv1.SubmitResponse]{gone, stays} {
		if err := exchange(s); err != nil {
			t.Fatal(err)
		}
	}
	watches, err := broodv1.NewAdminServiceClient(r.showing(readSecret), r.web.URL).WatchEvents(t.Context(), &broodv1.WatchEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var kept Token
	for _, k := range threeTokens() {
		if k.Secret == adminSecret {
			kept = k
		}
	}
	const fresh = "a-secret-that-is-new-here"
	r.api.SetTokens([]Token{{Name: "new", Secret: fresh, Role: RoleSubmit}, kept})

	if _, err := gone.Receive(); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("a stream of a token that is gone: %v", err)
	}
	for watches.Receive() {
	}
	if connect.CodeOf(watches.Err()) != connect.CodeUnauthenticated {
		t.Errorf("events for a token that is gone: %v", watches.Err())
	}
	if err := exchange(stays); err != nil {
		t.Errorf("a stream of a token that stays: %v", err)
	}
	if err := submit(submitSecret); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("a token that is gone: %v", err)
	}
	for _, secret := range []string{fresh, adminSecret} {
		if err := submit(secret); err != nil {
			t.Error(err)
		}
	}
	_ = gone.CloseRequest()
	_ = watches.Close()
	if err := stays.CloseRequest(); err != nil {
		t.Error(err)
	}
	_ = stays.CloseResponse()
	r.api.SetTokens(nil)
	if _, err := r.tasks().Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok"}); err != nil {
		t.Errorf("without tokens: %v", err)
	}
	r.allFree(t)
}

// listening tells of waits that have begun.
type listening struct {
	broker.Broker
	begun chan struct{}
}

func (b listening) OnResult(ctx context.Context, id string, f func(task.Result)) (func(), error) {
	defer func() { b.begun <- struct{}{} }()
	return b.Broker.OnResult(ctx, id, f)
}

// A long poll ends with its token, as a stream does.
func TestTokenThatIsTakenAwayEndsItsWaits(t *testing.T) {
	r := newRig(t, setup{tokens: threeTokens(), idle: true})
	begun := make(chan struct{}, 1)
	r.api.cfg.Broker = listening{r.broker, begun}
	id := submit(t, r.as(submitSecret), &broodv1.SubmitRequest{Task: "ok"})
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	go func() {
		_, err := r.as(submitSecret).Wait(ctx, &broodv1.WaitRequest{Id: id})
		ended <- err
	}()
	<-begun
	r.api.SetTokens([]Token{{Name: "new", Secret: "a-secret-that-is-new-here", Role: RoleSubmit}})
	if err := <-ended; connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("a wait with a token that is gone: %v", err)
	}
	r.allFree(t)
}

// Rates go with tokens: reading them again gives nobody a new share.
func TestTokenThatStaysKeepsItsRate(t *testing.T) {
	r := newRig(t, setup{tokens: threeTokens(), idle: true, limits: func(l *Limits) { l.RatePerToken = 0.001 }})
	if _, err := r.as(submitSecret).Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok"}); err != nil {
		t.Fatal(err)
	}
	r.api.SetTokens(threeTokens())
	if _, err := r.as(submitSecret).Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok"}); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Error(err)
	}
}
