// Liar is a worker that breaks the protocol in a different way for each of its tasks. What
// it does follows from LIAR_SEED and from how many tasks it was given: from nothing else.
package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

func main() {
	seed, err := strconv.ParseUint(os.Getenv("LIAR_SEED"), 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, "liar: LIAR_SEED is no number:", err)
		os.Exit(2)
	}
	fmt.Printf("1|%d|tcp|127.0.0.1:0|%s|\n", ipc.Version, ipc.Protocol)
	if err := serve(seed); err != nil {
		fmt.Fprintln(os.Stderr, "liar:", err)
		os.Exit(1)
	}
}

func serve(seed uint64) error {
	in := wire.NewReader(os.NewFile(ipc.FDRequests, "requests"), 0)
	out := os.NewFile(ipc.FDResponses, "responses")
	ready := ipc.Ready{Plugin: "liar", SDK: "none", Wire: ipc.Version, Tasks: []string{"lie"}}
	if _, err := out.Write(wire.AppendControl(nil, ipc.TypeReady, 0, 0, ready)); err != nil {
		return err
	}
	for {
		f, err := in.Next()
		if err != nil {
			return err
		}
		if f.Type != ipc.TypeExecute {
			continue
		}
		e, err := wire.DecodeExecute(f)
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(e.Payload), 10, 64)
		if err != nil {
			return err
		}
		l := liar{rand.New(rand.NewPCG(seed, n)), e.Seq}
		if _, err := out.Write(l.lie()); err != nil {
			return err
		}
		if l.IntN(4) == 0 {
			return nil // and it is gone, perhaps in the middle of a frame
		}
	}
}
