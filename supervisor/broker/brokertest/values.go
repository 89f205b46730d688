package brokertest

import (
	"bytes"
	"strings"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// attempts are records with something in every field.
var attempts = []task.Attempt{
	{N: 1, Worker: "thumbnails-3", PID: 4711, Outcome: task.OutcomeError, Message: "no such picture", ExitCode: -1},
	{
		N: 2, Worker: "thumbnails-1", PID: 4712, Outcome: task.OutcomeCrashed, Message: "it fell over", Signal: "SIGSEGV",
		ExitCode: 139, PeakRSS: 1 << 40, CPU: time.Second + 1, Run: time.Minute + 1,
		OutputTail: "the end\n\x00\xff", Stack: "goroutine 1 [running]",
	},
}

// everything is a message with something in every field that is kept.
func everything(m *broker.Message) {
	m.Submitted = time.Now().Add(-time.Second)
	m.Expires = time.Now().Add(time.Hour)
	m.UniqueKey, m.UniqueTTL = "unique * > .", time.Hour
	m.ConcurrencyKey, m.ConcurrencyLimit = "several * > .", 3
	m.History = broker.History{Starts: 2, Crashes: 1, Attempts: attempts}
	m.Task.Options = task.Options{
		Priority: 7, SoftTimeout: time.Minute + 1, HardTimeout: time.Hour + 1, MaxAttempts: 65535, AtMostOnce: true, Expires: time.Hour,
		Meta: map[string]string{"trace": "00-4bf92f", "": "empty", "zero": "", "not * a > subject.": "\u00e9\n\x00"},
	}
}

var valueTests = []test{
	{name: "every field of a message", run: func(r *rig) {
		m := message("a", everything)
		r.enqueue(m)
		r.same("record", r.get("a").Message, *m)
		l := r.take("a")
		r.same("leased message", l.Message, *m)
		if l.Delivery != 1 {
			r.Fatalf("delivery is %d, want 1", l.Delivery)
		}
	}},
	{name: "negative timeouts and priorities", run: func(r *rig) {
		m := message("a", func(m *broker.Message) {
			m.Task.Options = task.Options{Priority: -1000, SoftTimeout: -1, HardTimeout: -time.Hour}
		})
		r.enqueue(m)
		r.same("leased message", r.take("a").Message, *m)
	}},
	{name: "a time to come is kept", run: func(r *rig) {
		m := message("a", inAnHour)
		r.enqueue(m)
		if got := r.get("a").Message.NotBefore; !got.Equal(m.NotBefore) {
			r.Fatalf("not before %v, want %v", got, m.NotBefore)
		}
	}},
	{name: "the tag is not kept", run: func(r *rig) {
		l := r.put("a", func(m *broker.Message) { m.Task.Tag = "mine" })
		if l.Task.Tag != nil {
			r.Fatalf("tag is %v", l.Task.Tag)
		}
	}},
	{name: "that an id is fresh is not kept", run: func(r *rig) {
		r.enqueue(message("a", func(m *broker.Message) { m.Fresh = true }))
		if r.get("a").Message.Fresh || r.take("a").Fresh {
			r.Fatal("it is")
		}
	}},
	{name: "every field of a result", run: func(r *rig) {
		l := r.put("a", everything)
		want := task.Result{
			Task: l.Task, Status: task.Dead, Payload: []byte("half an answer"),
			Err:      &task.Error{Kind: task.KindCrashed, Message: "it fell over \x00 \u00e9"},
			Attempts: attempts, Started: 2, Queued: time.Hour + 1, Run: time.Minute + 1,
		}
		r.ok(one(r.Ack(r.ctx, []broker.Answer{{Lease: l, Result: &want}})))
		r.same("result", r.result("a"), want)
		r.same("result of the record", *r.get("a").Result, want)
		letter, err := r.DeadLetter(r.ctx, "a")
		r.ok(err)
		r.same("result of the dead letter", letter.Result, want)
		r.same("message of the dead letter", letter.Message, l.Message)
	}},
	{name: "every status of a result", run: func(r *rig) {
		for _, s := range []task.Status{task.Completed, task.Dead, task.Cancelled, task.Expired, task.Rejected} {
			r.end(s, r.put(string(s)))
			if got := r.result(string(s)).Status; got != s {
				r.Fatalf("status is %v, want %v", got, s)
			}
		}
	}},
	{name: "payloads of all sizes", run: func(r *rig) {
		for id, size := range map[string]int{"none": 0, "a byte": 1, "64 KiB": 1 << 16, "1 MiB": 1 << 20} {
			payload := bytes.Repeat([]byte{0xff, 0, 'x', '\n'}, size/4+1)[:size]
			l := r.put(id, func(m *broker.Message) { m.Task.Payload = payload })
			if !bytes.Equal(l.Task.Payload, payload) {
				r.Fatalf("%s: payload is not what it was", id)
			}
			res := answer(l, task.Completed)
			res.Result.Payload = payload
			r.ok(one(r.Ack(r.ctx, []broker.Answer{res})))
			if !bytes.Equal(r.result(id).Payload, payload) {
				r.Fatalf("%s: answer is not what it was", id)
			}
		}
	}},
	{name: "ids of all kinds", run: func(r *rig) {
		for _, id := range ids() {
			l := r.put(id)
			r.state(id, task.StateRunning)
			r.want(r.refuse(message(id)), broker.ErrDuplicate)
			r.end(task.Dead, l)
			if got := r.result(id).Task.ID; got != id {
				r.Fatalf("result of %q is that of %q", id, got)
			}
			_, err := r.DeadLetter(r.ctx, id)
			r.ok(err)
			r.ok(r.Revive(r.ctx, id))
			r.ok(r.Cancel(r.ctx, id))
			r.state(id, task.StateCancelled)
		}
	}},
	{name: "ids that look alike", run: func(r *rig) {
		alike := []string{"a", "A", "a ", " a", "a.", "a*", "a>", "a%20", "a\\", "a/", "\u00e9", "e\u0301", "YQ", "61"}
		for _, id := range alike {
			r.enqueue(message(id))
		}
		r.order(alike, 1)
	}},
	{name: "pools of all kinds", run: func(r *rig) {
		for _, name := range []string{"a", "A", "a b", "a.b", "*", ">", "a/b", "b\u00e9b\u00e9", "$x", strings.Repeat("p", 200)} {
			r.enqueue(message("in "+name, inPool(name)))
			r.ok(r.Pause(r.ctx, name, true))
			r.counts(name, broker.Counts{Queued: 1, Paused: true})
			r.ok(r.Pause(r.ctx, name, false))
			l := r.leaseFrom(name, 1)[0]
			if l.Task.ID != "in "+name || l.Pool != name {
				r.Fatalf("pool %q: leased %q of pool %q", name, l.Task.ID, l.Pool)
			}
			r.end(task.Dead, l)
			r.counts(name, broker.Counts{Dead: 1})
		}
	}},
}

func ids() []string {
	return []string{
		"x", ".", "..", "a.b.c", ".a", "a.", "*", ">", "a.>", "a.*.b", " ", "two words", "tab\tline\n", "a/b\\c", "$SYS", "$JS.API",
		"\u65e5\u672c\u8a9e \U0001f9f5", "\x00", "\xff\xfe no UTF-8", `"quoted"`, "%2e", "-", "_", "019a2f3e-7c11-7abc-8def-0123456789ab",
		strings.Repeat("i", 1024), strings.Repeat("\u00e9", 512), strings.Repeat(".", 1024), strings.Repeat("> ", 512),
	}
}
