package httpapi

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/broker"
)

// unwell is a broker that cannot be reached, and comes back.
type unwell struct {
	broker.Broker
	err error
}

func (u *unwell) Health() error { return u.err }

func TestReadyzSaysWhyNot(t *testing.T) {
	r := newRig(t, setup{pools: []supervisor.PoolConfig{{Name: "broken", Plugin: filepath.Join(bin, "missing"), Workers: 1}}})
	if err := r.supervisor.WaitReady(t.Context()); err == nil {
		t.Fatal("a plugin that does not exist has started")
	}
	b := &unwell{r.broker, errors.New("no route to nats://a")}
	r.api.cfg.Broker = b
	got := r.send(t, http.MethodGet, "/readyz", "")
	for _, says := range []string{"pool broken is degraded", "broker, for at least 0s: no route", `"ready":false`} {
		if got.status != 503 || !strings.Contains(string(got.body), says) {
			t.Errorf("%d %s, want it to say %q", got.status, got.body, says)
		}
	}
	b.err = nil
	if got := r.send(t, http.MethodGet, "/readyz", ""); strings.Contains(string(got.body), "broker, for") {
		t.Errorf("the broker is back: %s", got.body)
	}
	if got := r.send(t, http.MethodGet, "/healthz", ""); got.status != 200 {
		t.Errorf("healthz: %d", got.status)
	}
}
