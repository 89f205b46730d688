package jetstream

import (
	"net"
	"sync"
	"testing"
)

// What becomes of bytes on their way, and of their connection.
type fate int

const (
	pass fate = iota
	drop      // they are lost, and nobody is told
	cut       // they are lost, and the connection is
	last      // they arrive, and then the connection is lost
)

// proxy is a way to a server on which bytes may be held up or lost.
type proxy struct {
	listener net.Listener
	to       string
	judge    func(up bool, data []byte) fate // of what comes in; up is to the server
	work     sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
}

func newProxy(t testing.TB, to string, judge func(up bool, data []byte) fate) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to, judge: judge}
	p.work.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.hangUp()
		p.work.Wait()
	})
	return p
}

// hangUp cuts all connections that there are.
func (p *proxy) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = from.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, from, to)
		p.mu.Unlock()
		p.work.Go(func() { p.carry(from, to, true) })
		p.work.Go(func() { p.carry(to, from, false) })
	}
}

func (p *proxy) carry(from, to net.Conn, up bool) {
	defer func() { _, _ = from.Close(), to.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return // the end, or the other side is gone
		}
		f := p.judge(up, buffer[:n])
		switch f {
		case drop:
			continue
		case cut:
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil || f == last {
			return
		}
	}
}
