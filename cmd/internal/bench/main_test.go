package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/brood-run/brood/supervisor"
)

// buildDir is where buildOnce puts the plugins; TestMain sets and removes it.
var buildDir string

var buildOnce = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-o", buildDir+"/", "../../../plugins/echo", "../../../plugins/faulty")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, text)
	}
	return nil
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "brood-bench-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	buildDir = dir
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

func target(t *testing.T, plugin, task string) Target {
	t.Helper()
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	return Target{
		Pool: supervisor.PoolConfig{Plugin: filepath.Join(buildDir, plugin), MaxAttempts: 1},
		Task: task, Payload: []byte(`{"ms":1}`),
	}
}
