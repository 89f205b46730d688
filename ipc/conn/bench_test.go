package conn

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// counting hands back credit for every answer.
type counting struct {
	clientDiary
	ready  chan struct{}
	credit chan int
}

func (c *counting) Ready(ipc.Ready) error { close(c.ready); return nil }

func (c *counting) Results(rs []wire.Result) error {
	c.credit <- len(rs)
	return nil
}

// BenchmarkBothEnds sends tasks from a Client to a Server that echoes them, over pipes of the
// system, with so many on their way.
func BenchmarkBothEnds(b *testing.B) {
	for _, size := range []int{64, 4 << 10, 1 << 20} {
		for _, window := range []int{1, 16, 256} {
			if size*window > 64<<20 {
				continue
			}
			b.Run(fmt.Sprintf("bytes=%d/window=%d", size, window), func(b *testing.B) { benchBothEnds(b, size, window) })
		}
	}
}

func benchBothEnds(b *testing.B, size, window int) {
	toServer, fromServer := benchPipe(b), benchPipe(b)
	c := NewClient(fromServer.r, toServer.w, 0)
	cb := &counting{ready: make(chan struct{}), credit: make(chan int, window+1)}
	var group sync.WaitGroup
	defer group.Wait()
	defer toServer.w.Close()
	group.Go(func() {
		defer fromServer.w.Close()
		serveEcho(b, toServer.r, fromServer.w)
	})
	group.Go(func() {
		if err := c.Run(cb); err != nil {
			b.Error(err)
		}
	})
	c.Hello(ipc.Hello{Slots: 1, MaxFrame: 2 << 20})
	if err := c.Flush(); err != nil {
		b.Fatal(err)
	}
	<-cb.ready
	e := []wire.Execute{{Name: "x", TaskID: "0190b0a0-0000-7000-8000-000000000000", Payload: make([]byte, size)}}
	b.ReportAllocs()
	b.SetBytes(int64(size))
	free := window
	for b.Loop() {
		if free == 0 {
			if err := c.Flush(); err != nil {
				b.Fatal(err)
			}
			free = <-cb.credit
		}
		e[0].Seq++
		c.Execute(e)
		free--
	}
	if err := c.Flush(); err != nil {
		b.Fatal(err)
	}
	for free < window {
		free += <-cb.credit
	}
}

type benchPipes struct{ r, w *os.File }

func benchPipe(b *testing.B) benchPipes {
	b.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { r.Close(); w.Close() })
	return benchPipes{r, w}
}

// serveEcho is a worker, until its stream ends.
func serveEcho(b *testing.B, r io.Reader, w io.Writer) {
	s, err := NewServer(r, w, ServerWork{
		Handle: func(job *Job, res *wire.Result) { res.Payload = job.Payload },
		Base:   context.Background(),
		Cause:  func(ipc.Cause) error { return errTestCause },
	})
	if err != nil {
		b.Error(err)
		return
	}
	if err := s.Serve(ipc.Ready{Tasks: []string{"x"}}, nil); err != io.EOF {
		b.Errorf("the server ended with %v", err)
	}
	s.Wait()
}
