package httpapi

import (
	"fmt"
	"path/filepath"
	"testing"

	"connectrpc.com/connect"

	"github.com/brood-run/brood/supervisor"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func echo() setup {
	return setup{pools: []supervisor.PoolConfig{{Plugin: filepath.Join(bin, "echo"), Workers: 1, MaxAttempts: 1}}}
}

func TestTaskGoesThroughInEveryProtocol(t *testing.T) {
	r := newRig(t, echo())
	for name, c := range map[string]broodv1.TaskServiceClient{
		"connect":            r.tasks(),
		"connect json":       r.tasks(connect.WithProtoJSON()),
		"connect, HTTP/1.1":  broodv1.NewTaskServiceClient(r.http1, r.web.URL),
		"connect, gzip":      r.tasks(connect.WithSendGzip()),
		"connect, GET":       broodv1.NewTaskServiceClient(r.http1, r.web.URL, connect.WithHTTPGet()),
		"grpc":               r.tasks(connect.WithGRPC()),
		"grpc json":          r.tasks(connect.WithGRPC(), connect.WithProtoJSON()),
		"grpc-web, HTTP/1.1": broodv1.NewTaskServiceClient(r.http1, r.web.URL, connect.WithGRPCWeb()),
	} {
		t.Run(name, func(t *testing.T) {
			id := submit(t, c, &broodv1.SubmitRequest{Task: "echo", Input: payload("\x00\xff"), Options: &broodv1.TaskOptions{Meta: map[string]string{"k": "v"}}})
			got := wait(t, c, id)
			if got.GetState() != broodv1.TaskState_TASK_STATE_COMPLETED || string(got.GetResultBytes()) != "\x00\xff" || got.GetMeta()["k"] != "v" {
				t.Fatalf("got %v", got)
			}
			if got.GetPool() != "echo" || got.GetTask() != "echo" || got.GetStarts() != 1 || !got.GetSubmittedAt().IsValid() {
				t.Errorf("got %v", got)
			}
			same, err := c.Get(t.Context(), &broodv1.GetRequest{Id: id})
			if err != nil || same.GetTask().GetState() != got.GetState() {
				t.Errorf("Get: %v, %v", same, err)
			}
		})
	}
}

func TestJSONAsCurlSendsIt(t *testing.T) {
	r := newRig(t, echo())
	const body = `{"id":"one","task":"echo","payload":{"z":[1,2.50,null,true,"<&>é"],"a":{}},"options":{"softTimeout":"5s"}}`
	if got := r.curl(t, "Submit", body).json(t); got["id"] != "one" || got["duplicate"] != nil {
		t.Fatalf("submitted: %v", got)
	}
	if got := r.curl(t, "Submit", body).json(t); got["id"] != "one" || got["duplicate"] != true {
		t.Fatalf("submitted again: %v", got)
	}
	got := r.curl(t, "Wait", `{"id":"one"}`).json(t)["task"].(map[string]any)
	if s := fmt.Sprint(got["result"]); got["state"] != "TASK_STATE_COMPLETED" || s != "map[a:map[] z:[1 2.5 <nil> true <&>é]]" {
		t.Errorf("got %v", got)
	}
	raw := wait(t, r.tasks(), "one")
	if want := `{"a":{},"z":[1,2.5,null,true,"<&>é"]}`; string(raw.GetResultBytes()) != want {
		t.Errorf("the handler got %s, want %s", raw.GetResultBytes(), want)
	}
}

func TestBatchAnswersEachTask(t *testing.T) {
	r := newRig(t, echo())
	c := r.tasks()
	out, err := c.SubmitBatch(t.Context(), &broodv1.SubmitBatchRequest{Tasks: []*broodv1.SubmitRequest{
		{Id: "a"},
		{Id: "b", Options: &broodv1.TaskOptions{Priority: 5000}},
		{Id: "a"},
		{Id: "c", Options: &broodv1.TaskOptions{UniqueKey: "k", UniqueTtl: nil}},
		{},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := out.GetResults()
	if len(got) != 5 || got[0].GetId() != "a" || got[0].GetError() != nil || got[4].GetId() == "" {
		t.Fatalf("got %v", got)
	}
	if e := got[1].GetError(); e.GetKind() != "invalid_argument" || got[1].GetId() != "b" {
		t.Errorf("bad priority: %v", got[1])
	}
	if !got[2].GetDuplicate() || got[2].GetError() != nil {
		t.Errorf("same id: %v", got[2])
	}
	for _, id := range []string{"a", "c", got[4].GetId()} {
		if s := wait(t, c, id).GetState(); s != broodv1.TaskState_TASK_STATE_COMPLETED {
			t.Errorf("%s is %v", id, s)
		}
	}
}
