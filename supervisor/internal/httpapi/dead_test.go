package httpapi

import (
	"context"
	"fmt"
	"testing"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// bury submits tasks that die.
func bury(t testing.TB, r *rig, n int) (ids []string) {
	t.Helper()
	for i := range n {
		ids = append(ids, submit(t, r.tasks(), &broodv1.SubmitRequest{
			Id: fmt.Sprint("d", i), Task: "fail", Input: payload(`{"message":"no"}`), Options: &broodv1.TaskOptions{MaxAttempts: 1},
		}))
	}
	for _, id := range ids {
		wait(t, r.tasks(), id)
	}
	return ids
}

func TestDeadLettersArePaged(t *testing.T) {
	r := newRig(t, setup{})
	bury(t, r, 5)
	seen := map[string]bool{}
	for token, pages := "", 0; ; pages++ {
		out, err := r.dead().List(t.Context(), &broodv1.ListDeadLettersRequest{PageSize: 2, PageToken: token, Pool: "faulty"})
		if err != nil || pages > 5 {
			t.Fatal(err)
		}
		for _, l := range out.GetDeadLetters() {
			seen[l.GetTask().GetId()] = true
			if l.GetInput() != nil || !l.GetDiedAt().IsValid() || l.GetTask().GetState() != broodv1.TaskState_TASK_STATE_DEAD {
				t.Errorf("got %v", l)
			}
		}
		if token = out.GetNextPageToken(); token == "" {
			break
		}
	}
	if len(seen) != 5 {
		t.Errorf("saw %v", seen)
	}
	for _, bad := range []*broodv1.ListDeadLettersRequest{{PageSize: 1001}, {PageSize: -1}, {PageToken: "\x00nonsense"}} {
		if _, err := r.dead().List(t.Context(), bad); err != nil && connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestDeadLetterHasItsPayload(t *testing.T) {
	r := newRig(t, setup{})
	id := bury(t, r, 1)[0]
	out, err := r.dead().Get(t.Context(), &broodv1.GetDeadLetterRequest{Id: id})
	if err != nil || string(out.GetDeadLetter().GetPayloadBytes()) != `{"message":"no"}` || len(out.GetDeadLetter().GetTask().GetAttempts()) != 1 {
		t.Errorf("%v, %v", out, err)
	}
	got := r.curl(t, "/brood.v1.DeadLetterService/Get", `{"id":"`+id+`"}`).json(t)
	if fmt.Sprint(got["deadLetter"].(map[string]any)["payload"]) != "map[message:no]" {
		t.Errorf("curl: %v", got)
	}
	for id, want := range map[string]connect.Code{"": connect.CodeInvalidArgument, "nobody": connect.CodeNotFound} {
		if _, err := r.dead().Get(t.Context(), &broodv1.GetDeadLetterRequest{Id: id}); connect.CodeOf(err) != want {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestDeadLettersAreRetriedAndPurged(t *testing.T) {
	r := newRig(t, setup{})
	ids := bury(t, r, 5)
	if err := r.supervisor.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	some, err := r.dead().Retry(t.Context(), &broodv1.RetryDeadLettersRequest{Ids: []string{ids[0], "nobody"}})
	if err != nil || some.GetRetried() != 1 || some.GetErrors()["nobody"].GetKind() != "not_found" {
		t.Errorf("%v, %v", some, err)
	}
	one, err := r.dead().Purge(t.Context(), &broodv1.PurgeDeadLettersRequest{Ids: ids[1:2]})
	if err != nil || one.GetPurged() != 1 {
		t.Errorf("%v, %v", one, err)
	}
	none, err := r.dead().Purge(t.Context(), &broodv1.PurgeDeadLettersRequest{Pool: "another"})
	if err != nil || none.GetPurged() != 0 {
		t.Errorf("%v, %v", none, err)
	}
	all, err := r.dead().Retry(t.Context(), &broodv1.RetryDeadLettersRequest{All: true})
	if err != nil || all.GetRetried() != 3 {
		t.Errorf("%v, %v", all, err)
	}
	for _, bad := range []*broodv1.RetryDeadLettersRequest{{}, {All: true, Pool: "p"}, {Ids: ids, All: true}, {Ids: make([]string, 1001)}} {
		if _, err := r.dead().Retry(t.Context(), bad); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// reborn is a broker whose dead tasks die again as soon as they are revived, so that there is always
// one more page.
type reborn struct {
	broker.Broker
	revived int
}

func (b *reborn) Dead(context.Context, string, string, int) ([]broker.DeadLetter, string, error) {
	letter := func(id string) broker.DeadLetter {
		return broker.DeadLetter{Message: broker.Message{Task: task.Task{ID: id}}}
	}
	return []broker.DeadLetter{letter("a"), letter("b")}, "more", nil
}

func (b *reborn) Revive(context.Context, string) error {
	b.revived++
	return nil
}

func TestRetryOfAllRevivesEachOnce(t *testing.T) {
	r := newRig(t, setup{idle: true})
	b := &reborn{Broker: r.broker}
	r.api.cfg.Broker = b
	out, err := (deadLetters{r.api}).Retry(t.Context(), &broodv1.RetryDeadLettersRequest{All: true})
	if err != nil || out.GetRetried() != 2 || b.revived != 2 {
		t.Errorf("%v, %v: %d revived", out, err, b.revived)
	}
}
