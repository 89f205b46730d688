package child

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestHandleRefusesMistakes(t *testing.T) {
	nothing := func(context.Context, []byte) ([]byte, error) { return nil, nil }
	for want, register := range map[string]func(*Plugin){
		"empty task name":          func(p *Plugin) { p.Handle("", nothing) },
		"a task name of 256 bytes": func(p *Plugin) { p.Handle(strings.Repeat("x", 256), nothing) },
		`"a" with a nil handler`:   func(p *Plugin) { p.Handle("a", nil) },
		`"a" twice`:                func(p *Plugin) { p.Handle("a", nothing); p.Handle("a", nothing) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), want) {
					t.Errorf("panic is %v, want %q", r, want)
				}
			}()
			register(New("p"))
		}()
	}
}

func TestVerdictsKeepTheError(t *testing.T) {
	cause := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	for _, err := range []error{Permanent(cause), RetryAfter(cause, time.Second), fmt.Errorf("wrapped: %w", Permanent(cause))} {
		var as *fs.PathError
		if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &as) || !strings.HasSuffix(err.Error(), cause.Error()) {
			t.Errorf("%v lost what it wraps", err)
		}
	}
	if Permanent(nil) != nil || RetryAfter(nil, time.Second) != nil {
		t.Error("nil became an error")
	}
}

func TestMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]uint32{
		-time.Second: 0, 0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2,
		time.Hour: 3_600_000, math.MaxInt64: math.MaxUint32,
	} {
		if got := milliseconds(d); got != want {
			t.Errorf("milliseconds(%v) = %d, want %d", d, got, want)
		}
	}
}

func TestJSONOutputThatDoesNotEncode(t *testing.T) {
	h := JSON(func(context.Context, struct{}) (float64, error) { return math.NaN(), nil })
	_, err := h(context.Background(), nil)
	var v *verdict
	if !errors.As(err, &v) || !strings.Contains(err.Error(), "result does not encode from float64") {
		t.Errorf("error is %v, want a permanent one", err)
	}
}

func TestOutsideAWorker(t *testing.T) {
	ctx := context.Background()
	Logger(ctx).Error("nobody sees this")
	Progress(ctx, 1, "")
	Recycle(ctx, "")
	if info := TaskInfo(ctx); info.ID != "" || info.Meta != nil {
		t.Errorf("TaskInfo is %+v", info)
	}
}

// TestDependencies keeps plugin binaries small: the standard library, this module's
// wire and one logging library.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{
		"github.com/brood-run/brood/child", "github.com/brood-run/brood/ipc", "github.com/hashicorp/go-hclog",
		"github.com/fatih/color", "github.com/mattn/go-colorable", "github.com/mattn/go-isatty", "golang.org/x/sys", // hclog's
	}
next:
	for _, dep := range strings.Fields(string(out)) {
		for _, a := range allowed {
			if dep == a || strings.HasPrefix(dep, a+"/") {
				continue next
			}
		}
		t.Errorf("child depends on %s", dep)
	}
}
