package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// envPlugin makes the test binary serve as a plugin instead of running tests.
const envPlugin = "CHILD_TEST_PLUGIN"

func TestMain(m *testing.M) {
	if mode := os.Getenv(envPlugin); mode != "" {
		testPlugin(mode).Serve()
	}
	goleak.VerifyTestMain(m)
}

// testPlugin is the plugin the tests drive, one task per way to end.
func testPlugin(mode string) *Plugin {
	var opts []Option
	if mode == "crash" {
		opts = append(opts, DieOnPanic())
	}
	p := New("tester", append(opts, Version("0.1"), Template())...)
	p.Handle("echo", func(_ context.Context, payload []byte) ([]byte, error) { return payload, nil })
	if mode == "sole" {
		return p
	}
	p.OnStart(func(ctx context.Context) error {
		switch mode {
		case "unstartable":
			return errors.New("no database")
		case "stuck":
			Logger(ctx).Info("about to hang")
			select {}
		}
		Logger(ctx).Debug("start hook ran")
		return nil
	})
	for _, name := range []string{"first", "second"} {
		p.OnStop(func(ctx context.Context) { Logger(ctx).Info("stop hook", "hook", name) })
	}
	p.Handle("info", JSON(func(ctx context.Context, _ struct{}) (Info, error) { return TaskInfo(ctx), nil }))
	p.Handle("double", JSON(func(_ context.Context, n int) (int, error) { return 2 * n, nil }))
	p.Handle("print", printID)
	p.Handle("fail", func(context.Context, []byte) ([]byte, error) { return nil, errors.New("it failed") })
	p.Handle("panic", func(context.Context, []byte) ([]byte, error) { panic("boom") })
	p.Handle("goexit", func(context.Context, []byte) ([]byte, error) { runtime.Goexit(); return nil, nil })
	p.Handle("log", func(ctx context.Context, _ []byte) ([]byte, error) {
		Logger(ctx).Info("hello", "key", "value")
		Progress(ctx, 0.5, "half")
		Recycle(ctx, "worn out")
		return nil, nil
	})
	p.Handle("wait", wait)
	p.Handle("meet", rendezvous(4))
	p.Handle("big", func(context.Context, []byte) ([]byte, error) { return make([]byte, 100<<10), nil })
	p.Handle("cloexec", func(context.Context, []byte) ([]byte, error) { return cloexec() })
	p.Handle("interruptible", func(ctx context.Context, _ []byte) ([]byte, error) {
		return nil, exec.CommandContext(ctx, "sh", "-c", "kill -INT $$").Run()
	})
	return p
}

func printID(_ context.Context, payload []byte) ([]byte, error) {
	_, err := fmt.Fprintf(os.Stdout, "out %s\n", payload)
	if len(payload)%2 == 0 {
		_, err = fmt.Fprintf(os.Stderr, "err %s\n", payload)
	}
	return nil, err
}

// wait runs until it is cancelled and ends the way its payload asks for.
func wait(ctx context.Context, payload []byte) ([]byte, error) {
	Progress(ctx, 0, "waiting")
	<-ctx.Done()
	switch cause := context.Cause(ctx); string(payload) {
	case "answer":
		return []byte(cause.Error()), nil
	case "permanent":
		return nil, Permanent(cause)
	default:
		return nil, cause
	}
}

// rendezvous returns a handler that returns once n calls of it run at once.
func rendezvous(n int32) Handler {
	var arrived atomic.Int32
	var once sync.Once
	all := make(chan struct{})
	return func(ctx context.Context, _ []byte) ([]byte, error) {
		if arrived.Add(1) == n {
			once.Do(func() { close(all) })
		}
		select {
		case <-all:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// cloexec lists which of the worker's descriptors a grandchild would inherit.
func cloexec() ([]byte, error) {
	var inherited []string
	for fd := 3; fd <= 5; fd++ {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if errno == 0 && flags&syscall.FD_CLOEXEC == 0 {
			inherited = append(inherited, fmt.Sprint(fd))
		}
	}
	return []byte(strings.Join(inherited, ",")), nil
}
