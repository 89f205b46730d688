package jetstream

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/broker"
)

// What a URL says about who we are is in no error and in no line of the log.
func TestSecretsStaySecret(t *testing.T) {
	n := newNode(t, "one")
	n.options.Username, n.options.Password = "u", "sesame"
	n.start(t)
	t.Cleanup(func() { n.stop() })
	var log lines
	address := strings.TrimPrefix(n.url(), "nats://")
	b := openAt(t, Config{
		URL: "nats://u:sesame@" + address + ",u:sesame@" + address, Logger: logger(&log, hclog.Trace), Timeout: time.Second,
	})
	n.stop()
	await(t, "an end of the connection", func() bool { return b.Health() != nil })
	if err := b.Health(); !errors.Is(err, broker.ErrUnavailable) || strings.Contains(err.Error(), "sesame") || !strings.Contains(err.Error(), address) {
		t.Errorf("health: %v", err)
	}
	if said := log.String(); strings.Contains(said, "sesame") || !strings.Contains(said, address) {
		t.Errorf("log: %s", said)
	}
	for _, url := range []string{
		"nats://u:sesame@" + address, "u:sesame@" + address, "sesame@" + address, // nobody is there
		"nats://u:sesame%@" + address, "nats://u:sesame/@" + address, "nats://u@sesame:x", "://sesame", ",nats://u:sesame@" + address,
	} {
		_, err := Open(t.Context(), Config{URL: url})
		if err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
