package jetstream

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/brood-run/brood/supervisor/task"
)

// A result that could not be read when somebody said that it is there is looked for again, although the connection
// never was away.
func TestResultThatCannotBeReadNow(t *testing.T) {
	b := embedded(t)
	told := make(chan task.Result, 1)
	if _, err := b.OnResult(t.Context(), "x", func(r task.Result) { told <- r }); err != nil {
		t.Fatal(err)
	}
	place := b.names.result("x")
	if _, err := b.replace(t.Context(), place, []byte{0xff}, 0); err != nil {
		t.Fatal(err)
	}
	b.hearResult("x")
	if len(told) > 0 {
		t.Fatal("what cannot be read was told")
	}
	data, err := b.encodeResult(message("x"), &task.Result{Status: task.Completed})
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.js.Stream(t.Context(), b.names.stream("r"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	cfg.AllowRollup = true // it is never away: a look that finds nothing is enough
	if _, err := b.js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if errs := b.publish(t.Context(), []outgoing{{subject: place, data: data, header: nats.Header{"Nats-Rollup": []string{"sub"}}}}); errs != nil {
		t.Fatal(errs[0])
	}
	select {
	case r := <-told:
		if r.Status != task.Completed {
			t.Errorf("result is %+v", r)
		}
	case <-time.After(patience):
		t.Fatal("who waits is never told")
	}
}
