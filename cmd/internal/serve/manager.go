package serve

import (
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/hashicorp/go-hclog"
)

// manager is the service manager, if this process has one that listens: systemd, by NOTIFY_SOCKET.
type manager struct {
	logger   hclog.Logger
	watchdog time.Duration // how often it wants to hear of us; 0: it does not
}

func newManager(logger hclog.Logger) *manager {
	m := &manager{logger: logger}
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		logger.Warn("the watchdog of the service manager is not used", "error", err)
	}
	m.watchdog = every
	return m
}

// tick is how often to call alive; nil without a watchdog.
func (m *manager) tick() (c <-chan time.Time, stop func()) {
	if m.watchdog <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(m.watchdog / 2)
	return t.C, t.Stop
}

// startTime is how long a start may take: that of a server with many tasks reads all of them.
const startTime = 6 * time.Minute

func (m *manager) starting() {
	m.extend(startTime, "starting")
}

func (m *manager) ready(status string) {
	m.send(daemon.SdNotifyReady + "\nSTATUS=" + status)
}

func (m *manager) reloading() {
	m.send(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec() + "STATUS=reloading")
}

func (m *manager) stopping(grace time.Duration, status string) {
	m.send(daemon.SdNotifyStopping)
	m.extend(grace+10*time.Second, status)
}

func (m *manager) alive(status string) {
	m.send(daemon.SdNotifyWatchdog + "\nSTATUS=" + status)
}

// extend asks for more time to start or to stop.
func (m *manager) extend(d time.Duration, status string) {
	m.send(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d\nSTATUS=%s", d.Microseconds(), status))
}

func (m *manager) send(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		m.logger.Warn("the service manager could not be told", "error", err)
	}
}
