package arch

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// wall finds readings of the clock on the wall. A time.Time compared with another, or subtracted,
// goes by the monotonic clock, until somebody takes the number out of it, or makes one of a number.
var wall = regexp.MustCompile(`\.Unix(Milli|Micro|Nano)?\(|\.Round\(0\)|\.Truncate\(0\)|time\.(Parse|Date)\(|CLOCK_REALTIME`)

// wallReadings are those that no decision depends on, by file.
var wallReadings = map[string]string{
	"supervisor/id.go":                     "the time in a task's id sorts it for people",
	"supervisor/broker/jetstream/stamp.go": "what is stored outlives every other clock",
	"supervisor/internal/proc/identity.go": "the times of a file are compared with each other only",
	"supervisor/internal/worker/pipes.go":  "a deadline in 1970 is over, whatever the clock says",
}

// A clock that jumps must not time tasks out, find workers dead or put retries off: whoever looks after
// tasks and processes goes by the monotonic clock alone.
func TestNobodyDecidesByTheClockOnTheWall(t *testing.T) {
	for _, room := range []string{"supervisor", "ipc", "child"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, _ := filepath.Rel(root, path) // both are relative to the same folder
			for n, line := range bytes.Split(source, []byte("\n")) {
				if wall.Match(line) && wallReadings[filepath.ToSlash(name)] == "" {
					t.Errorf("%s:%d reads the clock on the wall, which may jump: %s", name, n+1, bytes.TrimSpace(line))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
