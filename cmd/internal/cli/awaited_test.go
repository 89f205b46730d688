package cli

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

func TestAwaitedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a := newAwaited(ctx, 2)
		a.add("a")
		a.add("b")
		added := make(chan bool, 1)
		go func() { added <- a.add("c") }()
		synctest.Wait()
		if len(added) > 0 {
			t.Error("a third was taken")
		}
		if got := a.take(10); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("took %q", got)
		}
		a.done("a")
		if !<-added {
			t.Error("there is room, and the third was refused")
		}
		a.putBack([]string{"a", "b"})
		if got := a.take(10); !slices.Equal(got, []string{"c", "b"}) {
			t.Errorf("took %q", got)
		}
		a.end()
		over := make(chan []string)
		go func() { over <- a.take(1) }()
		synctest.Wait()
		select {
		case <-over:
			t.Error("the end, with two that may be put back")
		default:
		}
		a.done("b")
		a.done("c")
		if got := <-over; len(got) > 0 {
			t.Errorf("after the end: %q", got)
		}
		cancel()
		synctest.Wait()
		if a.add("d") {
			t.Error("one was taken when nobody waits any more")
		}
	})
}
