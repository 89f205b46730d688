package dispatch

import "bytes"

const (
	// smallPayload is the size up to which payloads share memory, sharedPayloads how much
	// of it: who keeps one of them keeps no more than that.
	smallPayload   = 256
	sharedPayloads = 2 << 10
)

// payloads copies the payloads of results. Small ones share their memory, which spares an
// allocation for nearly each. Not safe for concurrent use.
type payloads struct{ free []byte }

func (p *payloads) clone(b []byte) []byte {
	if len(b) == 0 || len(b) > smallPayload {
		return bytes.Clone(b)
	}
	if len(b) > cap(p.free)-len(p.free) {
		p.free = make([]byte, 0, sharedPayloads)
	}
	from := len(p.free)
	p.free = append(p.free, b...)
	return p.free[from:len(p.free):len(p.free)]
}
