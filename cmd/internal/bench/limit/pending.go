package limit

import (
	"bufio"
	"bytes"
	"io"
	"sync"
)

// pending is what waits for an answer from one child, as any pool over pipes has to know
// it: the writer puts tasks in, the reader takes them out.
type pending struct {
	mu    sync.Mutex
	tasks map[uint64][]byte // payloads by id
}

func (p *pending) put(id uint64, payload []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tasks == nil {
		p.tasks = map[uint64][]byte{}
	}
	p.tasks[id] = payload
}

func (p *pending) take(id uint64) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	payload, ok := p.tasks[id]
	delete(p.tasks, id)
	return payload, ok
}

// receive reads one answer, finds its task and compares the two. The answer is memory of its
// own, as whoever has submitted the task would want it.
func (p *pending) receive(r *bufio.Reader) ([]byte, error) {
	id, n, err := readHead(r)
	if err != nil {
		return nil, err
	}
	payload, ok := p.take(id)
	if !ok {
		return nil, errForged
	}
	reply := make([]byte, n)
	if _, err := io.ReadFull(r, reply); err != nil {
		return nil, err
	}
	if !bytes.Equal(reply, payload) {
		return nil, errWrong
	}
	return reply, nil
}
