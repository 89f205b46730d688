package peer

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if IsPlugin() {
		ServePlugin()
		return
	}
	goleak.VerifyTestMain(m)
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGoPlugin(t *testing.T) {
	g, err := OpenGoPlugin(t.Context(), self(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if n := len(g.PIDs()); n != 2 {
		t.Errorf("%d pids", n)
	}
	one, many, err := g.Alone(t.Context(), []byte("payload"), 10*time.Millisecond)
	if err != nil || len(one) == 0 || len(many) == 0 {
		t.Errorf("alone: %d unary, %d by stream, %v", len(one), len(many), err)
	}
	if rate, err := g.Stream(t.Context(), make([]byte, 1<<12), 16, 200*time.Millisecond); err != nil || rate <= 0 {
		t.Errorf("stream: %v a second, %v", rate, err)
	}
	if rate, err := g.Unary(t.Context(), []byte("x"), 4, 200*time.Millisecond); err != nil || rate <= 0 {
		t.Errorf("unary: %v a second, %v", rate, err)
	}
}

func TestGoPluginAtASteadyRate(t *testing.T) {
	g, err := OpenGoPlugin(t.Context(), self(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	took, err := g.Paced(t.Context(), []byte("payload"), 2000, 50*time.Millisecond)
	if err != nil || len(took) != 100 || slices.Min(took) <= 0 {
		t.Errorf("%d round trips of 100, %v", len(took), err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if _, err := g.Paced(ctx, []byte("payload"), 1, time.Minute); err == nil {
		t.Error("it goes on without its context")
	}
}

func TestGoPluginThatIsKilled(t *testing.T) {
	if took, err := KillGoPlugin(t.Context(), self(t), []byte("payload")); err != nil || took <= 0 {
		t.Errorf("%v, %v", took, err)
	}
}

func TestGoPluginThatIsNone(t *testing.T) {
	if _, err := OpenGoPlugin(t.Context(), "/bin/false", 1); err == nil {
		t.Error("a plugin that exits was opened")
	}
}

func TestPython(t *testing.T) {
	p, err := FindPython(t.Context(), t.TempDir())
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	const short = 20 * time.Millisecond
	for _, how := range []string{"apply", "apply_async", "imap1", "imap64", "executor"} {
		if rate, err := p.Throughput(t.Context(), how, 2, 64, short); err != nil || rate <= 0 {
			t.Errorf("%s: %v a second, %v", how, rate, err)
		}
	}
	for _, how := range []string{"pool", "executor"} {
		if p50, p99, err := p.Alone(t.Context(), how, 64, short); err != nil || p50 <= 0 || p99 < p50 {
			t.Errorf("%s: p50 %v, p99 %v, %v", how, p50, p99, err)
		}
	}
	if rate, err := p.Fresh(t.Context(), 2, short); err != nil || rate <= 0 {
		t.Errorf("fresh: %v a second, %v", rate, err)
	}
	for _, how := range []string{"fork", "spawn"} {
		if took, err := p.Spawn(t.Context(), how); err != nil || took <= 0 {
			t.Errorf("%s: %v, %v", how, took, err)
		}
	}
}

func TestPythonWhenWorkersDie(t *testing.T) {
	p, err := FindPython(t.Context(), t.TempDir())
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	if took, err := p.Killed(t.Context(), "executor"); err != nil || took <= 0 {
		t.Errorf("executor: %v, %v", took, err)
	}
	if took, err := p.Killed(t.Context(), "pool"); !errors.Is(err, ErrNever) {
		t.Errorf("pool: %v, %v; has it learned to notice?", took, err)
	}
	if rate, err := p.Storm(t.Context(), 2, 20*time.Millisecond); err != nil || rate <= 0 {
		t.Errorf("storm: %v a second, %v", rate, err)
	}
	for _, how := range []string{"pool", "executor"} {
		if took, err := p.Fair(t.Context(), how, 2, 10, 200*time.Millisecond); err != nil || took < 10*time.Millisecond || took > 200*time.Millisecond {
			t.Errorf("%s: short tasks beside a long one took %v, %v", how, took, err)
		}
	}
}

// A pool that hangs must neither hold up the table nor stay behind.
func TestPythonThatIsInterrupted(t *testing.T) {
	p, err := FindPython(t.Context(), t.TempDir())
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, errors.New("enough"))
	defer cancel()
	began := time.Now()
	_, err = p.Throughput(ctx, "apply", 2, 64, time.Minute)
	if err == nil || !strings.Contains(err.Error(), "enough") || time.Since(began) > 30*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	// The workers hold the pipe: that the call is back says that they are gone.
	if _, err := p.Throughput(t.Context(), "apply", -1, 64, time.Millisecond); err == nil || !strings.Contains(err.Error(), "ValueError") {
		t.Errorf("an error of the script became %v", err)
	}
}

func TestWithoutPython(t *testing.T) {
	t.Setenv("PATH", "")
	if _, err := FindPython(t.Context(), t.TempDir()); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v", err)
	}
	var none *Python
	if _, err := none.Fresh(t.Context(), 1, time.Second); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v", err)
	}
}
