package outlast

import (
	"net"
	"sync"
	"testing"
)

// proxy is a way to a server that can be cut: then connections stay, and nothing gets through.
type proxy struct {
	listener net.Listener
	to       string
	work     sync.WaitGroup

	mu    sync.Mutex
	cut   *sync.Cond
	shut  bool
	conns []net.Conn // nil once closed
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to}
	p.cut = sync.NewCond(&p.mu)
	p.work.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.set(false)
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.work.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", p.to)
		if err != nil {
			from.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, from, to)
		p.mu.Unlock()
		p.work.Go(func() { p.carry(from, to) })
		p.work.Go(func() { p.carry(to, from) })
	}
}

// carry carries what comes in to the other side, while it is not cut.
func (p *proxy) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		for p.shut {
			p.cut.Wait()
		}
		p.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return // io.EOF, or the other side is gone
		}
	}
}

// set cuts the way, or opens it.
func (p *proxy) set(shut bool) {
	p.mu.Lock()
	p.shut = shut
	p.mu.Unlock()
	p.cut.Broadcast()
}
