package jetstream

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
)

// longestToken is how long an id, a pool's name or a key may be to stand in a subject as it is.
const longestToken = 64

// token is a name as it stands in subjects and in names of streams: the name itself if it is
// short and plain, otherwise "=" and its digest. No plain name starts with "=".
func token(name string) string {
	if plain(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "=" + base64.RawURLEncoding.EncodeToString(sum[:])
}

func plain(name string) bool {
	if name == "" || len(name) > longestToken {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// level is the step of priority that a task is queued under: each of -9 to 9, then tens, then
// hundreds, so that a pool has at most 57 consumers. Tasks of one level are in the order of their submission.
func level(priority int) int {
	switch size := max(priority, -priority); {
	case size < 10:
		return priority
	case size < 100:
		return priority / 10 * 10
	default:
		return priority / 100 * 100
	}
}

// levelToken names a level in subjects: p0, p50, n3.
func levelToken(level int) string {
	if level < 0 {
		return "n" + strconv.Itoa(-level)
	}
	return "p" + strconv.Itoa(level)
}

// levelOf is the reverse of levelToken.
func levelOf(token string) (int, bool) {
	if token == "" {
		return 0, false
	}
	n, err := strconv.Atoi(token[1:])
	switch {
	case err != nil || n < 0:
		return 0, false
	case token[0] == 'n':
		return -n, true
	}
	return n, token[0] == 'p'
}

// names are the subjects and streams of one namespace. In subjects: p is a pool's token, id that of a task.
//
//	NS.q.p.LEVEL.id     the queue                         stream NS_q_p, one for each pool
//	NS.t.s.KIND.p.id    waits for its time                stream NS_t
//	NS.t.f.KIND.p.id    its time has come                 stream NS_t
//	NS.r.id             results                           stream NS_r
//	NS.s.p.id           states of tasks leased before     stream NS_s
//	NS.s.=cancel.id     tasks to be cancelled by whoever leases them next   stream NS_s
//	NS.w.p.id           marks of tasks between attempts   stream NS_s
//	NS.d.p.id           dead letters                      stream NS_d
//	NS.u.key            holders of unique keys            stream NS_u
//	NS.c.key.SLOT       slots of concurrency keys         stream NS_c
//	NS.p.paused.p       pools that are paused             stream NS_p
//	NS.p.mark.p.LEVEL   how far a level has been leased   stream NS_p
//	NS.p.look           what a broker writes to see whether it can   stream NS_p
//	NS.x.done.id        a result was stored               no stream
//	NS.x.cancel.id      a task is to be cancelled         no stream
//	NS.x.level.p.LEVEL  a level is in use                 no stream
//	NS.x.runs           is anybody at work on these?      no stream
//	NS.x.arrived        a broker is there                 no stream
//	NS.x.slot.key       a slot is free                    no stream
type names string

func (n names) subject(tokens ...string) string { return string(n) + "." + strings.Join(tokens, ".") }

func (n names) queueStream(pool string) string { return string(n) + "_q_" + token(pool) }
func (n names) stream(kind string) string      { return string(n) + "_" + kind }

func (n names) result(id string) string      { return n.subject("r", token(id)) }
func (n names) state(pool, id string) string { return n.subject("s", token(pool), token(id)) }
func (n names) letter(pool, id string) string {
	return n.subject("d", token(pool), token(id))
}

// lastToken is what follows the last dot of a subject.
func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }
