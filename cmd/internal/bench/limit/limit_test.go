package limit

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
	paced, err := p.Paced(t.Context(), []byte("one"), 2000, 50*time.Millisecond)
	if err != nil || len(paced) != 100 || slices.Min(paced) <= 0 {
		t.Errorf("at a steady rate: %d round trips of 100, %v", len(paced), err)
	}
	took, err := p.Alone([]byte("one"), 10*time.Millisecond)
	if err != nil || len(took) == 0 || took[0] <= 0 {
		t.Errorf("alone: %d round trips, %v", len(took), err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// A child that lies is no limit of the machine.
func TestPendingKnowsItsTasks(t *testing.T) {
	frame := func(id uint64, payload string) *bufio.Reader {
		return bufio.NewReader(strings.NewReader(string(appendHead(nil, id, len(payload))) + payload))
	}
	var p pending
	p.put(7, []byte("seven"))
	if _, err := p.receive(frame(8, "seven")); err != errForged {
		t.Errorf("an answer to a task that does not wait: %v", err)
	}
	if got, err := p.receive(frame(7, "seven")); err != nil || string(got) != "seven" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := p.receive(frame(7, "seven")); err != errForged {
		t.Errorf("a second answer: %v", err)
	}
	p.put(9, []byte("nine"))
	if _, err := p.receive(frame(9, "none")); err != errWrong {
		t.Errorf("another payload: %v", err)
	}
	if _, err := p.receive(frame(0, "")); err != errForged {
		t.Errorf("no task at all: %v", err)
	}
}

// A child that dies ends the measurement, whatever waits for it.
func TestPipesWithoutAChild(t *testing.T) {
	for name, measure := range map[string]func(*Pipes) error{
		"saturated": func(p *Pipes) error {
			_, err := p.Saturate(make([]byte, 1<<16), 64, time.Minute)
			return err
		},
		"paced": func(p *Pipes) error {
			_, err := p.Paced(t.Context(), make([]byte, 1<<16), 1e4, time.Minute)
			return err
		},
	} {
		p, err := OpenPipes(buildBare(t), 2)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(50*time.Millisecond, func() { p.children[1].cmd.Process.Kill() })
		if name == "saturated" {
			// The other child goes on until its time is over.
			time.AfterFunc(100*time.Millisecond, func() { p.children[0].cmd.Process.Kill() })
		}
		if err := measure(p); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := p.Close(); err == nil {
			t.Errorf("%s: Close does not tell that a child was killed", name)
		}
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
