// Command brood runs tasks in isolated worker processes. See `brood help`.
package main

import (
	"os"

	"github.com/brood-run/brood/cmd/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
