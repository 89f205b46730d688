package main

import (
	"fmt"
	"os"
	"time"
)

const (
	startExitCode = 7
	startPause    = 2 * time.Second
)

// misbehaveAtStart does what FAULTY_START says, before anything is served. A way it
// does not know is refused, lest a test with a typing mistake passes.
func misbehaveAtStart(how string) {
	switch how {
	case "":
	case "exit":
		fmt.Fprintln(os.Stderr, "faulty: FAULTY_START=exit: this plugin cannot start, as asked")
		os.Exit(startExitCode)
	case "hang":
		hangForever()
	case "garbage":
		fmt.Println("this is not the line that a worker begins with")
	case "slow":
		time.Sleep(startPause)
	default:
		fmt.Fprintf(os.Stderr, "faulty: FAULTY_START is %q; it must be exit, hang, garbage or slow\n", how)
		os.Exit(2)
	}
}
