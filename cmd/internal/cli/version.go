package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/ipc"
)

func versionCommand() *urfave.Command {
	return &urfave.Command{
		Name:            "version",
		Usage:           "print the version of brood and of the protocol it speaks with plugins",
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Action: func(c *urfave.Context) error {
			_, err := fmt.Fprintf(c.App.Writer, "brood %s, wire version %d, %s %s/%s\n",
				version(), ipc.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// version is what the Go toolchain stamped into the binary.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	return info.Main.Version
}
