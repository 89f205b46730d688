package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"golang.org/x/sys/unix"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/proc"
)

// errStartTimeout marks a handshake that did not come in time.
var errStartTimeout = errors.New("start timeout")

func startReason(err error) Reason {
	if errors.Is(err, errStartTimeout) {
		return ReasonStartTimeout
	}
	return ReasonStartFailed
}

// launch starts the process through go-plugin and does the handshake.
func (w *Worker) launch() error {
	l := &launcher{w: w, line: w.capture.line}
	defer l.line.Close() // a late handshake line has no reader: the capture goes on without
	begun := time.Now()
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: ipc.Version, MagicCookieKey: ipc.CookieKey, MagicCookieValue: ipc.CookieValue,
		},
		VersionedPlugins:    map[int]plugin.PluginSet{ipc.Version: {}},
		AllowedProtocols:    []plugin.Protocol{ipc.Protocol},
		StartTimeout:        w.cfg.StartTimeout,
		Logger:              hclog.NewNullLogger(),
		PluginLogBufferSize: 16,
		SkipHostEnv:         w.cfg.ClearEnv,
		UnixSocketConfig:    &plugin.UnixSocketConfig{TempDir: cmp.Or(w.cfg.Scratch, scratchDir())},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, dir string) (runner.Runner, error) {
			l.env = cmd.Env
			// Meant for sockets; there are none, and only Client.Kill would remove it.
			return l, os.Remove(dir)
		},
	})
	// Never Client() or Kill(): the pipes are ours, and so is the process.
	_, err := client.Start()
	if err == nil {
		return nil
	}
	if l.startErr != nil {
		return l.startErr
	}
	if time.Since(begun) >= w.cfg.StartTimeout {
		return fmt.Errorf("%w: plugin %s gave no handshake within %v", errStartTimeout, w.cfg.Path, w.cfg.StartTimeout)
	}
	return &handshakeError{path: w.cfg.Path, err: err}
}

// handshakeError is a process that started and did not turn out to be a plugin.
type handshakeError struct {
	path string
	err  error
}

func (e *handshakeError) Error() string {
	return fmt.Sprintf("plugin %s: handshake failed: %v", e.path, e.err)
}

// launcher is go-plugin's Runner over proc.
type launcher struct {
	w        *Worker
	env      []string
	line     *io.PipeReader // the first line of stdout
	startErr error
	proc     *proc.Process
}

// Start implements runner.Runner.
func (l *launcher) Start(ctx context.Context) error {
	w := l.w
	p, err := l.spawn(ctx)
	if err != nil {
		l.startErr = err
		return err
	}
	l.proc = p
	w.cfg.Note(event.WorkerStarting{Time: time.Now(), Pool: w.cfg.Pool, Worker: w.name, PID: p.PID()})
	w.mu.Lock()
	w.process = p
	doomed := w.reason != ReasonNone
	w.mu.Unlock()
	if doomed {
		_ = p.Kill() // it may be over already
	}
	w.pipes.closeChildEnds()
	w.conn.Hello(ipc.Hello{
		Worker: w.name, Slots: w.cfg.Slots, MaxFrame: w.cfg.MaxFrame,
		HeartbeatMS: int(w.cfg.Heartbeat.Milliseconds()), Scoreboard: w.pipes.board != nil,
		BoardBeats: w.pipes.board != nil, LogLevel: w.cfg.Logger.GetLevel().String(),
	})
	_ = w.conn.Flush() // into an empty pipe; a process that died is found out below
	w.launching.Go(func() {
		<-p.Done()
		_ = l.line.Close() // no line will come: a descendant may hold the pipe open
	})
	return nil
}

// spawn starts the process from the file that the pool's workers are to be started from.
func (l *launcher) spawn(ctx context.Context) (*proc.Process, error) {
	w := l.w
	seen, err := w.cfg.Program.inspect(w.cfg)
	if err != nil {
		return nil, err
	}
	defer seen.close()
	p, err := w.spawn(ctx, proc.Command{
		Path: w.cfg.Path, Image: seen.image, Args: w.cfg.Args, Dir: w.cfg.Dir, Env: l.environ(),
		Stdout: w.pipes.child.stdout, Stderr: w.pipes.child.stderr, Extra: w.pipes.extra(),
		Limits: w.cfg.Limits, PIDNamespace: w.cfg.PIDNamespace,
	})
	if err != nil {
		return nil, err
	}
	if err := seen.confirm(w.cfg); err != nil {
		_ = p.Kill() // it may be over already
		<-p.Done()
		return nil, err
	}
	w.sighting = seen
	return p, nil
}

// scratchDir is where go-plugin may make the directory for sockets that it insists on and
// that is removed at once. Memory first: a full or missing TMPDIR must not keep workers from
// starting.
func scratchDir() string {
	for _, dir := range []string{"/dev/shm", os.TempDir(), "/tmp", "/var/tmp"} {
		if unix.Access(dir, unix.W_OK|unix.X_OK) == nil {
			return dir
		}
	}
	return "."
}

// environ is the worker's environment.
func (l *launcher) environ() []string {
	w := l.w
	env := make([]string, 0, len(l.env)+len(w.cfg.Env)+3)
	for _, kv := range l.env {
		if !strings.HasPrefix(kv, plugin.EnvUnixSocketDir+"=") {
			env = append(env, kv)
		}
	}
	env = append(env, w.cfg.Env...)
	return lastOfEach(append(env, ipc.EnvWorker+"="+w.name, ipc.EnvTree+"="+w.tree(), ipc.EnvSupervisor+"="+w.parent()))
}

// parent is our process id as the worker sees it: from within a PID namespace, not at all.
func (w *Worker) parent() string {
	if w.cfg.PIDNamespace {
		return "0"
	}
	return strconv.Itoa(os.Getpid())
}

// Stdout implements runner.Runner: the handshake line and nothing else.
func (l *launcher) Stdout() io.ReadCloser { return l.line }

// Stderr implements runner.Runner: captured elsewhere.
func (l *launcher) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name implements runner.Runner.
func (l *launcher) Name() string { return l.w.cfg.Path }

// ID implements runner.Runner.
func (l *launcher) ID() string { return strconv.Itoa(l.proc.PID()) }

// Diagnose implements runner.Runner: launch says more.
func (l *launcher) Diagnose(context.Context) string { return "" }

// Wait implements runner.Runner.
func (l *launcher) Wait(context.Context) error {
	<-l.proc.Done()
	return nil
}

// Kill implements runner.Runner. start kills, after a look at how the process ends by itself.
func (l *launcher) Kill(context.Context) error { return nil }

// PluginToHost implements runner.Runner. There is no address: the answer only has to parse.
func (l *launcher) PluginToHost(string, string) (string, string, error) {
	return "tcp", "127.0.0.1:0", nil
}

// HostToPlugin implements runner.Runner.
func (l *launcher) HostToPlugin(n, a string) (string, string, error) { return n, a, nil }
