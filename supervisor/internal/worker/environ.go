package worker

import (
	"slices"
	"strings"
)

// lastOfEach drops all but the last entry of each variable. Who reads an environment with two
// takes the first, in C as in Go: the wrong one, if the supervisor was given that
// variable too, as it is when it runs in somebody else's worker.
func lastOfEach(env []string) []string {
	seen := make(map[string]bool, len(env))
	kept := make([]string, 0, len(env))
	for _, kv := range slices.Backward(env) {
		name, _, _ := strings.Cut(kv, "=")
		if !seen[name] {
			seen[name] = true
			kept = append(kept, kv)
		}
	}
	slices.Reverse(kept)
	return kept
}
