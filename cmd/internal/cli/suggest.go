package cli

import (
	"fmt"
	"maps"
	"slices"
)

// suggestion names the known key nearest to a mistyped one, or nothing if none is near.
func suggestion[V any](typed string, known map[string]V) string {
	best, nearest := "", 1+len(typed)/3
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if d := distance(typed, k); d < nearest {
			best, nearest = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
