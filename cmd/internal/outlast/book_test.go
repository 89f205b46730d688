package outlast

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// readBook returns the starts that workers have written down, by task.
func readBook(path string) (map[string][]start, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	starts := map[string][]start{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var s start
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("%w: %q: %w", errUnread, lines.Text(), err)
		}
		starts[s.ID] = append(starts[s.ID], s)
	}
	return starts, lines.Err()
}
