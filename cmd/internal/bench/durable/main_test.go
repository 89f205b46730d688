package durable

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// buildDir is where buildOnce puts the binaries; TestMain sets and removes it.
var buildDir string

var buildOnce = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-o", buildDir+"/", "../../../brood", "../../../../plugins/echo", "../../../../plugins/faulty")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, text)
	}
	return nil
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "brood-durable-test-")
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

func setup(t *testing.T, plugin string) Setup {
	t.Helper()
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	return Setup{Brood: filepath.Join(buildDir, "brood"), Plugin: filepath.Join(buildDir, plugin), Dir: t.TempDir(), Workers: 2}
}

// start starts a server that is stopped when the test ends.
func start(t *testing.T) *Server {
	t.Helper()
	srv, err := setup(t, "echo").Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Kill(); err != nil {
			t.Error(err)
		}
	})
	return srv
}
