package child

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/scoreboard"
	"github.com/brood-run/brood/ipc/wire"
)

// driver is a supervisor made of raw frames, with one real worker.
type driver struct {
	t      testing.TB
	cmd    *exec.Cmd
	in     *os.File
	resp   *os.File
	out    *wire.Reader
	board  *scoreboard.Board
	stdout *capture
	stderr *capture
	reads  sync.WaitGroup
	next   uint64
	beats  int
}

// capture collects a stream of the worker's.
type capture struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (c *capture) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(b)
}

func (c *capture) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.String()
}

// launch starts a worker and says hello; the Ready frame is the next one to read.
func launch(t testing.TB, mode string, hello ipc.Hello, env ...string) *driver {
	t.Helper()
	d := &driver{t: t, stdout: &capture{}, stderr: &capture{}}
	reqR, reqW := pipes(t)
	respR, respW := pipes(t)
	outR, outW := pipes(t)
	errR, errW := pipes(t)
	d.cmd = exec.Command(os.Args[0])
	d.cmd.Env = append(os.Environ(), envPlugin+"="+mode, ipc.CookieKey+"="+ipc.CookieValue, "GORACE=atexit_sleep_ms=0")
	d.cmd.Env = append(d.cmd.Env, env...)
	d.cmd.Stdout, d.cmd.Stderr, d.cmd.ExtraFiles = outW, errW, []*os.File{reqR, respW}
	if board, page, err := scoreboard.Create(); err == nil {
		d.board, hello.Scoreboard = board, true
		d.cmd.ExtraFiles = append(d.cmd.ExtraFiles, page)
		defer page.Close()
	} else if !errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	d.in, d.resp, d.out = reqW, respR, wire.NewReader(respR, 0)
	d.send(wire.AppendControl(nil, ipc.TypeHello, 0, 0, hello))
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{reqR, respW, outW, errW} {
		f.Close()
	}
	d.reads.Go(func() { d.drain(outR, scoreboard.Stdout, d.stdout) })
	d.reads.Go(func() { d.drain(errR, scoreboard.Stderr, d.stderr) })
	t.Cleanup(func() {
		d.cmd.Process.Kill()
		d.cmd.Wait()
		d.reads.Wait()
		if d.board != nil {
			d.board.Close()
		}
		if t.Failed() {
			t.Logf("worker's stdout: %s\nworker's stderr: %s", d.stdout, d.stderr)
		}
	})
	return d
}

func pipes(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// drain reads a captured stream the way a supervisor does, telling the board.
func (d *driver) drain(f *os.File, stream scoreboard.Stream, to io.Writer) {
	raw, err := f.SyscallConn()
	if err != nil {
		panic(err)
	}
	buf := make([]byte, 512)
	for n := 1; n > 0; {
		err := raw.Read(func(fd uintptr) bool {
			if d.board != nil {
				d.board.BeginRead(stream)
			}
			var err error
			n, err = syscall.Read(int(fd), buf)
			if d.board != nil {
				d.board.EndRead(stream, n)
			}
			return err != syscall.EAGAIN
		})
		if err != nil {
			return
		}
		to.Write(buf[:max(n, 0)])
	}
}

// start launches a worker of the default plugin and waits until it is ready.
func start(t testing.TB, mode string, slots int) *driver {
	t.Helper()
	d := launch(t, mode, ipc.Hello{Worker: "w1", Slots: slots, MaxFrame: 64 << 10, LogLevel: "info"})
	d.expect(ipc.TypeReady)
	return d
}

func (d *driver) send(b []byte) {
	d.t.Helper()
	if _, err := d.in.Write(b); err != nil {
		d.t.Fatalf("write to the worker: %v", err)
	}
}

// execute sends a task and returns its sequence number.
func (d *driver) execute(task, payload string) uint64 {
	d.t.Helper()
	d.next++
	d.send(wire.AppendExecute(nil, &wire.Execute{Seq: d.next, Attempt: 1, MaxAttempts: 3, Name: task, TaskID: "id-" + payload, Payload: []byte(payload)}))
	return d.next
}

func (d *driver) cancel(id uint64, cause ipc.Cause) {
	d.t.Helper()
	d.send(wire.AppendControl(nil, ipc.TypeCancel, 0, id, ipc.Cancel{Cause: cause}))
}

// expect reads the next frame, beats apart, which must have that type.
func (d *driver) expect(want ipc.Type) wire.Frame {
	d.t.Helper()
	for {
		f, err := d.out.Next()
		if err != nil {
			d.t.Fatalf("waiting for a frame of type %d: %v", want, err)
		}
		if f.Type == ipc.TypeBeat && want != ipc.TypeBeat {
			d.beats++
			continue
		}
		if f.Type != want {
			d.t.Fatalf("frame of type %d (%s), want %d", f.Type, f.Body, want)
		}
		return f
	}
}

// result reads the next frame, which must answer that task with that outcome.
func (d *driver) result(id uint64, want ipc.Outcome) wire.Result {
	d.t.Helper()
	r, err := wire.DecodeResult(d.expect(ipc.TypeResult))
	if err != nil {
		d.t.Fatal(err)
	}
	if r.Seq != id || r.Outcome != want {
		d.t.Fatalf("result of %d with outcome %d (%s), want %d with %d", r.Seq, r.Outcome, r.Message, id, want)
	}
	return r
}

// exit waits for the worker to leave by itself with that code.
func (d *driver) exit(want int) {
	d.t.Helper()
	for { // whatever it still has to say
		if _, err := d.out.Next(); err != nil {
			break
		}
	}
	d.cmd.Wait()
	d.reads.Wait()
	if got := d.cmd.ProcessState.ExitCode(); got != want {
		d.t.Fatalf("the worker ended with %v, want exit code %d", d.cmd.ProcessState, want)
	}
}

func (d *driver) wantStderr(parts ...string) {
	d.t.Helper()
	for _, p := range parts {
		if !strings.Contains(d.stderr.String(), p) {
			d.t.Errorf("stderr lacks %q", p)
		}
	}
}
