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
			beatSome(t, board, c.offered, c.board && c.offered)
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

// beatSome has a worker beat while one task runs in it and another waits.
func beatSome(t *testing.T, board *scoreboard.Board, offered, onBoard bool) {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	hello := ipc.Hello{Slots: 1, MaxFrame: minMaxFrame, HeartbeatMS: 2, BoardBeats: offered}
	go inW.Write(append(wire.AppendControl(nil, ipc.TypeHello, 0, 0, hello), append(execute(1, ""), execute(2, "")...)...))
	entered := make(chan bool)
	server, err := NewServer(inR, outW, ServerWork{
		Handle: func(job *Job, _ *wire.Result) { entered <- true; <-job.Done() },
		Base:   context.Background(), Cause: func(ipc.Cause) error { return errTestCause },
	})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan bool)
	go func() { server.Serve(ipc.Ready{}, board); server.Wait(); outW.Close(); close(served) }()
	frames := make(chan ipc.Beat)
	go func() { defer close(frames); beatFrames(t, outR, frames) }()
	<-entered
	if onBoard {
		beatsOnBoard(t, board)
	} else {
		beatsInFrames(t, frames)
	}
	inW.Close()
	for b := range frames {
		if onBoard {
			t.Errorf("a frame beside the scoreboard: %+v", b)
		}
	}
	if <-served; board != nil && !onBoard && board.Beats() != 0 {
		t.Errorf("%d beats on the scoreboard beside the frames", board.Beats())
	}
}

func beatsOnBoard(t *testing.T, board *scoreboard.Board) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	late := time.After(10 * time.Second)
	for from := board.Beats(); board.Beats() < from+3; {
		select {
		case <-look.C:
		case <-late:
			t.Fatal("no beats on the scoreboard")
		}
	}
	if v := board.Vitals(); v.Running != 1 || v.Queued != 1 || v.HeapBytes == 0 || v.Goroutines == 0 {
		t.Errorf("the page says %+v", v)
	}
}

func beatsInFrames(t *testing.T, frames <-chan ipc.Beat) {
	t.Helper()
	var b ipc.Beat
	late := time.After(10 * time.Second)
	for range 3 { // the first may be older than the task
		select {
		case b = <-frames:
		case <-late:
			t.Fatal("no beats in frames")
		}
	}
	if len(b.Running) != 1 || b.Running[0] != 1 || b.Queued != 1 || b.HeapBytes == 0 || b.Goroutines == 0 {
		t.Errorf("a frame says %+v", b)
	}
}

// beatFrames picks the beats from a worker's stream until it ends.
func beatFrames(t *testing.T, r io.Reader, beats chan<- ipc.Beat) {
	in := wire.NewReader(r, 0)
	for {
		f, err := in.Next()
		if err != nil {
			return
		}
		if f.Type == ipc.TypeBeat {
			var b ipc.Beat
			if err := wire.DecodeControl(f, &b); err != nil {
				t.Error(err)
			}
			beats <- b
		}
	}
}

func TestTicksOfTheRuntime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{gone: make(chan struct{})}
		wait, began := s.runtimeTicks(time.Second), time.Now()
		for range 3 {
			if !wait() {
				t.Fatal("no tick")
			}
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("three ticks took %v", took)
		}
		close(s.gone)
		if wait() {
			t.Error("a tick after the end")
		}
	})
}
