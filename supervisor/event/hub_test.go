package event

import (
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func queued(id string) TaskQueued {
	return TaskQueued{Time: time.Unix(1, 0), Pool: "p", Task: id, Name: "n"}
}

func TestEverySubscriberGetsEveryEvent(t *testing.T) {
	var h Hub
	a, b := h.Subscribe(2), h.Subscribe(2)
	h.Publish(queued("1"))
	h.Publish(queued("2"))
	h.Close()
	for _, s := range []*Subscription{a, b} {
		var got []string
		for e := range s.C() {
			got = append(got, e.(TaskQueued).Task)
		}
		if len(got) != 2 || got[0] != "1" || got[1] != "2" || s.Dropped() != 0 {
			t.Errorf("got %v, %d dropped", got, s.Dropped())
		}
	}
}

func TestSlowSubscriberLosesAlone(t *testing.T) {
	var h Hub
	slow, fast := h.Subscribe(0), h.Subscribe(10)
	for range 10 {
		h.Publish(queued("1"))
	}
	if slow.Dropped() != 9 || len(slow.C()) != 1 {
		t.Errorf("slow: %d dropped, %d kept", slow.Dropped(), len(slow.C()))
	}
	if fast.Dropped() != 0 || len(fast.C()) != 10 {
		t.Errorf("fast: %d dropped, %d kept", fast.Dropped(), len(fast.C()))
	}
	h.Close()
}

func TestActiveFollowsSubscribers(t *testing.T) {
	var h Hub
	var a, b *Subscription
	for i, step := range []struct {
		do   func()
		want bool
	}{
		{func() {}, false},
		{func() { a = h.Subscribe(1) }, true},
		{func() { b = h.Subscribe(1) }, true},
		{func() { a.Close() }, true},
		{func() { a.Close() }, true},
		{func() { b.Close() }, false},
		{func() { b = h.Subscribe(1) }, true},
		{h.Close, false},
		{h.Close, false},
		{func() { b.Close() }, false},
	} {
		if step.do(); h.Active() != step.want {
			t.Errorf("step %d: active %v", i, h.Active())
		}
	}
}

func TestClosedSubscriptionsEnd(t *testing.T) {
	var h Hub
	byItself, byHub := h.Subscribe(1), h.Subscribe(1)
	byItself.Close()
	h.Publish(queued("1"))
	h.Close()
	late := h.Subscribe(1)
	h.Publish(queued("2"))
	for name, test := range map[string]struct {
		s    *Subscription
		want int
	}{"by itself": {byItself, 0}, "by the hub": {byHub, 1}, "late": {late, 0}} {
		n := 0
		for open := true; open; {
			select {
			case _, open = <-test.s.C():
				if open {
					n++
				}
			default:
				t.Fatalf("%s: the channel is not closed", name)
			}
		}
		if n != test.want {
			t.Errorf("%s: %d events, want %d", name, n, test.want)
		}
	}
}

func TestEverythingAtOnce(t *testing.T) {
	var h Hub
	var publishers, others sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		publishers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					h.Publish(queued("1"))
				}
			}
		})
	}
	for range 4 {
		others.Go(func() {
			for range 25 {
				s := h.Subscribe(1)
				<-s.C() // there are publishers: one event comes, or the hub closes
				s.Close()
			}
		})
	}
	others.Wait()
	last := h.Subscribe(1)
	h.Close()
	for range last.C() { // ends, because Close closed it
	}
	close(stop)
	publishers.Wait()
}

// A publisher that nobody listens to must cost nothing to speak of.
func BenchmarkPublishToNobody(b *testing.B) {
	var h Hub
	for b.Loop() {
		if h.Active() {
			h.Publish(queued("1"))
		}
	}
}
