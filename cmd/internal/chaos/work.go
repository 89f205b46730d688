package chaos

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/brood-run/brood/supervisor/task"
)

// onceEvery is the share of tasks that must not be started twice: one in so many.
const onceEvery = 10

// work is the workload. Each task follows from the seed and its number, so that nothing has
// to be kept to check an answer.
type work struct {
	seed   uint64
	name   string // of every task; empty means a mix of sleep and ok
	mixed  bool
	fixed  []byte // payload of every task; nil means one of its own for each
	echoes bool   // an answer is its task's payload
}

// newWork finds tasks for a plugin. Where it serves several, the user has to choose, except
// that one which serves sleep and ok can be given tasks of both kinds: those that are
// struck in the middle, and those that carry something.
func newWork(seed uint64, name string, payload []byte, serves []string) (*work, error) {
	w := &work{seed: seed, name: name, fixed: payload}
	switch {
	case name != "" || len(serves) <= 1:
	case slices.Contains(serves, "sleep") && slices.Contains(serves, "ok") && payload == nil:
		w.mixed, w.echoes = true, true
	default:
		return nil, &ChoiceError{Tasks: serves}
	}
	return w, nil
}

// ChoiceError: the plugin serves several tasks and the user has chosen none.
type ChoiceError struct{ Tasks []string }

// Error implements error.
func (e *ChoiceError) Error() string { return fmt.Sprintf("choose one of the tasks %q", e.Tasks) }

// task is the one of that number.
func (w *work) task(n int) task.Task {
	name, payload := w.make(n)
	t := task.Task{ID: "t" + strconv.Itoa(n), Name: name, Payload: payload}
	t.AtMostOnce = n%onceEvery == onceEvery-1
	return t
}

func (w *work) make(n int) (name string, payload []byte) {
	if w.fixed != nil {
		return w.name, w.fixed
	}
	random := rand.New(rand.NewPCG(w.seed, uint64(n)+1))
	if w.mixed && random.IntN(4) > 0 {
		return "sleep", fmt.Appendf(nil, `{"ms":%d}`, 1+random.IntN(4))
	}
	name = w.name
	if w.mixed {
		name = "ok"
	}
	payload = make([]byte, 2+16+random.IntN(1000))
	for i := range payload {
		payload[i] = byte('a' + random.IntN(26))
	}
	payload[0], payload[len(payload)-1] = '"', '"' // JSON, as most plugins want it
	return name, payload
}

// intact says whether an answer is what its task should get, as far as that is known.
func (w *work) intact(n int, answer []byte) bool {
	if !w.echoes {
		return true
	}
	_, payload := w.make(n)
	return bytes.Equal(answer, payload)
}

// number is that of a task of the workload.
func number(id string) (n int, ok bool) {
	if len(id) < 2 || id[0] != 't' {
		return 0, false
	}
	n, err := strconv.Atoi(id[1:])
	return n, err == nil && n >= 0
}
