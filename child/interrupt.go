package child

import (
	"os"
	"os/signal"
)

// notifyInterrupt has a handler that does nothing take the place of the signal's default.
// "Ignore" would be inherited by processes started here.
func notifyInterrupt() { signal.Notify(make(chan os.Signal, 1), os.Interrupt) }
