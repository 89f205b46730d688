package worker

import (
	"context"
	"fmt"
	"os"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/conn"
	"github.com/brood-run/brood/ipc/wire"
)

// envFrames makes the test binary a worker that keeps no scoreboard, as one in another
// language may.
const envFrames = "WORKER_TEST_FRAMES"

func serveFrames() int {
	fmt.Printf("1|%d|tcp|127.0.0.1:0|%s|\n", ipc.Version, ipc.Protocol)
	server, err := conn.NewServer(os.NewFile(ipc.FDRequests, "requests"), os.NewFile(ipc.FDResponses, "responses"), conn.ServerWork{
		Handle: func(*conn.Job, *wire.Result) {}, Base: context.Background(),
		Cause: func(ipc.Cause) error { return context.Canceled },
	})
	if err != nil {
		return 1
	}
	if err := server.Serve(ipc.Ready{Plugin: "frames", SDK: "test", Wire: ipc.Version, Tasks: []string{"ok"}}, nil); err != nil {
		return 1
	}
	return 0
}
