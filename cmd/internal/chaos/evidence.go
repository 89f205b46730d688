package chaos

import (
	"slices"
	"strings"

	"github.com/brood-run/brood/supervisor/event"
)

// evidence is what the last events say of a task or of workers.
func (b *book) evidence(id string, workers ...string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []string
	for i := range b.recent {
		e := b.recent[(max(0, b.next-len(b.recent))+i)%len(b.recent)]
		if concerns(e, id, workers) {
			lines = append(lines, e.When().Format("15:04:05.000000")+" "+e.String())
		}
	}
	const most = 12
	return lines[max(0, len(lines)-most):]
}

func concerns(e event.Event, id string, workers []string) bool {
	words := strings.Fields(e.String())
	if len(words) < 2 || words[0] == "pool" {
		return false
	}
	return words[1] == id || words[0] == "worker" && slices.Contains(workers, words[1])
}
