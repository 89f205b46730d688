package conn

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/scoreboard"
	"github.com/brood-run/brood/ipc/wire"
)

// A worker beats on the scoreboard if it has one and the supervisor looks there, in frames
// otherwise, and in one place only.
func TestServerBeatsWhereTheSupervisorLooks(t *testing.T) {
	for name, c := range map[string]struct{ board, offered bool }{
		"no scoreboard":                       {false, false},
		"offered, but the worker has none":    {false, true},
		"a supervisor that does not look":     {true, false},
		"a supervisor that looks at the page": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var board *scoreboard.Board
			if c.board {
				board = page(t)
			}
			synctest.Test(t, func(t *testing.T) { beatFor(t, board, c.board && c.offered, c.offered) })
		})
	}
}

func page(t *testing.T) *scoreboard.Board {
	t.Helper()
	board, f, err := scoreboard.Create()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	t.Cleanup(func() { board.Close() })
	return board
}

// beatFor has a worker run one task and keep another waiting for ten and a half seconds.
func beatFor(t *testing.T, board *scoreboard.Board, onBoard, offered bool) {
	const beats = 10
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	hello := ipc.Hello{Slots: 1, MaxFrame: minMaxFrame, HeartbeatMS: 1000, BoardBeats: offered}
	go inW.Write(append(wire.AppendControl(nil, ipc.TypeHello, 0, 0, hello), append(execute(1, ""), execute(2, "")...)...))
	server, err := NewServer(inR, outW, ServerWork{
		Handle: func(job *Job, _ *wire.Result) { <-job.Done() },
		Base:   context.Background(), Cause: func(ipc.Cause) error { return errTestCause },
	})
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(ipc.Ready{}, board)
	seen := make(chan []ipc.Beat)
	go func() { seen <- beatFrames(t, outR) }()
	time.Sleep(beats*time.Second + time.Second/2)
	inW.Close()
	<-server.Gone()
	outW.Close()
	frames := <-seen
	server.Wait()
	if onBoard {
		v := board.Vitals()
		if n := board.Beats(); n != beats || len(frames) != 0 {
			t.Errorf("%d beats on the scoreboard and %d frames, want %d and none", n, len(frames), beats)
		}
		if v.Running != 1 || v.Queued != 1 || v.HeapBytes == 0 || v.Goroutines == 0 {
			t.Errorf("the page says %+v", v)
		}
		return
	}
	if len(frames) != beats || board != nil && board.Beats() != 0 {
		t.Fatalf("%d frames, want %d, and nothing on the page", len(frames), beats)
	}
	for _, b := range frames {
		if len(b.Running) != 1 || b.Running[0] != 1 || b.Queued != 1 || b.HeapBytes == 0 || b.Goroutines == 0 {
			t.Errorf("a frame says %+v", b)
		}
	}
}

// beatFrames reads a worker's stream to its end.
func beatFrames(t *testing.T, r io.Reader) (beats []ipc.Beat) {
	in := wire.NewReader(r, 0)
	for {
		f, err := in.Next()
		if err != nil {
			return beats
		}
		if f.Type == ipc.TypeBeat {
			var b ipc.Beat
			if err := wire.DecodeControl(f, &b); err != nil {
				t.Error(err)
			}
			beats = append(beats, b)
		}
	}
}
