package event

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// Whoever adds an event adds it to Kinds.
func TestKindsAreComplete(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`Kind\(\) string \{ return "(\w+)" \}`).FindAllSubmatch(source, -1) {
			want = append(want, string(m[1]))
		}
	}
	got := Kinds()
	slices.Sort(got)
	slices.Sort(want)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("Kinds are %v, the source has %v", got, want)
	}
}
