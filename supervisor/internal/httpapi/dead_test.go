package httpapi

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

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

// hoard is a broker with dead letters of any size, which it counts as it hands them out.
type hoard struct {
	broker.Broker
	sizes   []int // of payloads
	tail    string
	reads   int
	largest int // bytes in one answer
	revived int
}

func (b *hoard) Dead(_ context.Context, _, after string, n int) (out []broker.DeadLetter, next string, _ error) {
	b.reads++
	at, _ := strconv.Atoi(after)
	size := 0
	for ; at < len(b.sizes) && len(out) < n; at++ {
		out = append(out, broker.DeadLetter{
			Message: broker.Message{Task: task.Task{ID: fmt.Sprint(at), Payload: make([]byte, b.sizes[at])}},
			Result:  task.Result{Status: task.Dead, Attempts: []task.Attempt{{OutputTail: b.tail}}},
		})
		size += b.sizes[at]
	}
	b.largest = max(b.largest, size)
	if at < len(b.sizes) {
		next = strconv.Itoa(at)
	}
	return out, next, nil
}

func (b *hoard) Revive(context.Context, string) error {
	b.revived++
	return nil
}

func TestLargeDeadLettersAreReadFewAtATime(t *testing.T) {
	r := newRig(t, setup{idle: true})
	for name, c := range map[string]struct{ n, size, reads int }{
		"large": {100, 10 << 20, 100},
		"small": {1000, 100, 5},
	} {
		b := &hoard{Broker: r.broker, sizes: slices.Repeat([]int{c.size}, c.n)}
		r.api.cfg.Broker = b
		page, err := (deadLetters{r.api}).List(t.Context(), &broodv1.ListDeadLettersRequest{PageSize: 1000})
		if err != nil || len(page.GetDeadLetters()) != c.n || page.GetNextPageToken() != "" || b.largest > readBytes || b.reads > c.reads {
			t.Errorf("%s: %d letters, then %q, %v; %d reads of up to %d bytes", name, len(page.GetDeadLetters()), page.GetNextPageToken(), err, b.reads, b.largest)
		}
		b.reads, b.largest = 0, 0
		all, err := (deadLetters{r.api}).Retry(t.Context(), &broodv1.RetryDeadLettersRequest{All: true})
		if err != nil || int(all.GetRetried()) != c.n || b.revived != c.n || b.largest > readBytes || b.reads > c.reads {
			t.Errorf("%s: %v, %v; %d reads of up to %d bytes", name, all, err, b.reads, b.largest)
		}
	}
}

// A page that has become large ends, and the next one goes on behind it.
func TestPageOfDeadLettersEndsWhenItIsLarge(t *testing.T) {
	r := newRig(t, setup{idle: true})
	r.api.cfg.Broker = &hoard{Broker: r.broker, sizes: make([]int, 300), tail: strings.Repeat("x", 1<<20)}
	seen := 0
	for token, pages := "", 1; ; pages++ {
		out, err := (deadLetters{r.api}).List(t.Context(), &broodv1.ListDeadLettersRequest{PageToken: token})
		if err != nil || proto.Size(out) > 2*pageBytes {
			t.Fatalf("a page of %d bytes, %v", proto.Size(out), err)
		}
		for _, l := range out.GetDeadLetters() {
			if l.GetTask().GetId() != fmt.Sprint(seen) {
				t.Fatalf("got %s, want %d", l.GetTask().GetId(), seen)
			}
			seen++
		}
		if token = out.GetNextPageToken(); token == "" {
			break
		}
	}
	if seen != 300 {
		t.Errorf("saw %d of 300", seen)
	}
}
