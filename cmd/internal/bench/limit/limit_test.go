package limit

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// buildBare is the program the limits use.
func buildBare(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bare")
	cmd := exec.Command("go", "build", "-o", path, "../bare")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, text)
	}
	return path
}

func TestPipes(t *testing.T) {
	p, err := OpenPipes(buildBare(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 64, 1 << 20} {
		rate, err := p.Saturate(make([]byte, size), 8, 20*time.Millisecond)
		if err != nil || rate <= 0 {
			t.Errorf("%d bytes: %v frames a second, %v", size, rate, err)
		}
	}
	took, err := p.Alone([]byte("one"), 10*time.Millisecond)
	if err != nil || len(took) == 0 || took[0] <= 0 {
		t.Errorf("alone: %d round trips, %v", len(took), err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestSpawns(t *testing.T) {
	bare := buildBare(t)
	if took, err := FirstByte(t.Context(), bare); err != nil || took <= 0 {
		t.Errorf("first byte after %v, %v", took, err)
	}
	if rate, err := SpawnRate(t.Context(), bare, 2, 20*time.Millisecond); err != nil || rate <= 0 {
		t.Errorf("%v processes a second, %v", rate, err)
	}
}

// What does not work must be an error, never a figure.
func TestWhatFailsIsNoFigure(t *testing.T) {
	if _, err := OpenPipes("/bin/false", 1); err == nil {
		t.Error("pipes to a program that exits")
	}
	if _, err := FirstByte(t.Context(), "/bin/false"); err == nil {
		t.Error("first byte of a program that fails")
	}
	if _, err := SpawnRate(t.Context(), "/bin/false", 1, time.Millisecond); err == nil {
		t.Error("spawn rate of a program that fails")
	}
}

func TestRSSOfThisProcess(t *testing.T) {
	if RSS(os.Getpid()) == 0 && exists("/proc/self/statm") {
		t.Error("this process has no memory")
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
