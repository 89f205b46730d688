package httpapi

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// notebook is a log that a test reads while others write.
type notebook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (n *notebook) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

func (n *notebook) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.String()
}

func TestLogNamesCallsAndTellsNoSecrets(t *testing.T) {
	n := &notebook{}
	r := newRig(t, setup{idle: true, tokens: threeTokens(), logger: hclog.New(&hclog.LoggerOptions{Output: n, Level: hclog.Trace})})
	r.curl(t, "Submit", `{"task":"ok","payload":"what-is-in-it"}`, "Authorization", "Bearer "+submitSecret)
	r.curl(t, "Submit", `{"task":"ok","payload":"what-is-in-it"}`, "Authorization", "Bearer "+readSecret)
	r.curl(t, "Submit", `{"task":"ok","payload":"what-is-in-it"}`, "Authorization", "Bearer wrong-secret-of-somebody")
	r.curl(t, "Submit", `{"task":"what-is-in-it","options":{"priority":5000}}`, "Authorization", "Bearer "+submitSecret)
	log := n.String()
	for _, says := range []string{"/brood.v1.TaskService/Submit", "code=ok", "token=ci", "duration=", "code=permission_denied", "code=unauthenticated", "code=invalid_argument"} {
		if !strings.Contains(log, says) {
			t.Errorf("the log does not say %s:\n%s", says, log)
		}
	}
	for _, secret := range []string{submitSecret, readSecret, "wrong-secret-of-somebody", "what-is-in-it"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %s:\n%s", secret, log)
		}
	}
}
