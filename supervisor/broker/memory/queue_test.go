package memory

import (
	"cmp"
	"slices"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type ranked struct {
	rank, serial int
	key          int64
}

// model is the obvious queue: a list, sorted when asked.
type model []ranked

func (m *model) pop() ranked {
	best := slices.MinFunc(*m, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(b.rank, a.rank), cmp.Compare(a.serial, b.serial))
	})
	*m = slices.DeleteFunc(*m, func(i ranked) bool { return i == best })
	return best
}

func TestQueueAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q Queue[ranked]
		var m model
		serial := 0
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				serial++
				i := ranked{rapid.IntRange(-2, 2).Draw(t, "rank"), serial, rapid.Int64Range(0, 20).Draw(t, "key")}
				q.Push(i.rank, i.key, i)
				m = append(m, i)
			},
			"pop": func(t *rapid.T) {
				got, ok := q.Pop()
				if ok != (len(m) > 0) {
					t.Fatalf("Pop ok = %v with %d items", ok, len(m))
				}
				if !ok {
					return
				}
				if want := m.pop(); got != want {
					t.Fatalf("Pop = %+v, want %+v", got, want)
				}
			},
			"filter": func(t *rapid.T) {
				bit := rapid.IntRange(0, 1).Draw(t, "bit")
				keep := func(i ranked) bool { return i.serial%4 != bit }
				q.Filter(keep)
				m = slices.DeleteFunc(m, func(i ranked) bool { return !keep(i) })
			},
			"": func(t *rapid.T) {
				if q.Len() != len(m) {
					t.Fatalf("Len = %d, want %d", q.Len(), len(m))
				}
			},
		})
	})
}

func TestReturningItemGoesToTheFront(t *testing.T) {
	var q Queue[string]
	for i, s := range []string{"a", "b", "c"} {
		q.Push(0, int64(i), s)
	}
	first, _ := q.Pop()
	q.Push(0, 0, first)
	for _, want := range []string{"a", "b", "c"} {
		if got, _ := q.Pop(); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}
