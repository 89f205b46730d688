package supervisor_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// bin holds the plugins that the tests run; written by TestMain alone.
var bin string

func TestMain(m *testing.M) {
	if playIsolated() || playSupervisor() || playCramped() || playDebugger() {
		return
	}
	os.Exit(func() int {
		var err error
		if bin, err = os.MkdirTemp("", "brood-supervisor-test-"); err != nil {
			return refuse("make a directory for plugins", err)
		}
		defer os.RemoveAll(bin)
		build := exec.Command("go", "build", "-o", bin+string(filepath.Separator),
			"github.com/brood-run/brood/plugins/echo", "github.com/brood-run/brood/plugins/faulty",
			"./testdata/probe", "./testdata/liar", "./testdata/inmate")
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as they are delivered: without shared libraries
		if out, err := build.CombinedOutput(); err != nil {
			return refuse("build the plugins", fmt.Errorf("%w\n%s", err, out))
		}
		code := m.Run()
		if err := goleak.Find(); code == 0 && err != nil {
			return refuse("end without leaks", err)
		}
		return code
	}())
}

func refuse(what string, err error) int {
	fmt.Fprintf(os.Stderr, "cannot %s: %v\n", what, err)
	return 1
}

func plugin(name string) string { return filepath.Join(bin, name) }
