package cli

import "fmt"

// Exit codes.
const (
	exitOK          = 0   // every task completed
	exitIncomplete  = 1   // some did not
	exitUsage       = 2   // wrong usage or configuration
	exitCannotRun   = 3   // no worker came up, input unreadable, output unwritable
	exitInterrupted = 130 // by a signal, as shells report it
)

// exitError carries the exit code that an error asks for. An empty text says
// that the user has been told already.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

func usageErrorf(format string, args ...any) error {
	return &exitError{code: exitUsage, text: fmt.Sprintf(format, args...)}
}

func cannotRunf(format string, args ...any) error {
	return &exitError{code: exitCannotRun, text: fmt.Sprintf(format, args...)}
}

// exitCode ends the program with a code and nothing more to say.
func exitCode(code int) error {
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}
