package outlast

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// bin holds the programs that the tests run; written by TestMain alone.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if bin, err = os.MkdirTemp("", "brood-outlast-test-"); err != nil {
			return refused("make a directory for programs", err)
		}
		defer os.RemoveAll(bin)
		for name, source := range map[string]string{
			"brood": "github.com/brood-run/brood/cmd/brood", "tally": "./testdata/tally", "node": "./testdata/node",
		} {
			build := exec.Command("go", "build", "-o", filepath.Join(bin, name), source)
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				return refused("build "+name, fmt.Errorf("%w\n%s", err, out))
			}
		}
		code := m.Run()
		if err := goleak.Find(); code == 0 && err != nil {
			return refused("end without leaks", err)
		}
		return code
	}())
}

func refused(what string, err error) int {
	fmt.Fprintf(os.Stderr, "cannot %s: %v\n", what, err)
	return 1
}
