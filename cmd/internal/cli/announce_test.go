package cli

import (
	"testing"

	"github.com/brood-run/brood/supervisor"
)

// What is suggested works: a text is no payload for just any task.
func TestExample(t *testing.T) {
	for _, tt := range []struct {
		pools [][]string
		want  string
	}{
		{[][]string{{"echo"}}, "brood submit --wait 'some text'"},
		{[][]string{{"thumbnail"}}, "brood submit --wait --payload JSON"},
		{[][]string{{"badframe", "ok"}}, "brood submit --wait --task NAME --payload JSON"},
		{[][]string{{"thumbnail"}, {"echo"}}, "brood submit --wait --task echo 'some text'"},
	} {
		s := &serving{serveOptions: newServeOptions()}
		for _, tasks := range tt.pools {
			s.pools = append(s.pools, supervisor.PoolConfig{Tasks: tasks})
		}
		if got := s.example("http://" + defaultListen); got != tt.want {
			t.Errorf("%q: %s", tt.pools, got)
		}
	}
}
