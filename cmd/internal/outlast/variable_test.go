package outlast

import (
	"path/filepath"
	"testing"
)

// Where the broker is may be in a variable, which workers do not see. A reload still knows it.
func TestReloadRemembersWhereTheBrokerIs(t *testing.T) {
	n := newCluster(t, 1)[0]
	d := newDaemon(t, "server", filepath.Join(t.TempDir(), "book"), "--workers", "1")
	d.env = []string{"BROOD_NATS=" + n.url}
	d.start()
	var answer struct {
		Pools   []struct{ Outcome string }
		Restart []string
	}
	if err := d.call(t.Context(), "AdminService/Reload", struct{}{}, &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Restart) > 0 || len(answer.Pools) != 1 || answer.Pools[0].Outcome != "unchanged" {
		t.Errorf("a reload of what has not changed: %+v", answer)
	}
	d.stop()
}
