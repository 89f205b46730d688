//go:build !linux || !(amd64 || arm64)

package child

// surviveInterrupt lets Ctrl-C in a terminal pass this process by.
func surviveInterrupt() { notifyInterrupt() }
