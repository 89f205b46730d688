package serve

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/server"
)

// What needs workers is tested through the built binary, in package cli.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// closing notes that a broker was closed.
type closing struct {
	broker.Broker
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return c.Broker.Close()
}

func config(t *testing.T, open func(ctx context.Context) (broker.Broker, error)) Config {
	return Config{
		Open: open, Logger: hclog.NewNullLogger(),
		Started: func(net.Addr) { t.Error("it was started") },
	}
}

// running is Run with signals of its own.
func running(t *testing.T, c Config) error {
	sig := Catch()
	defer sig.Release()
	return Run(t.Context(), sig, c)
}

func TestABrokerThatDoesNotOpen(t *testing.T) {
	broken := errors.New("the disk is on fire")
	err := running(t, config(t, func(context.Context) (broker.Broker, error) { return nil, broken }))
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestAConfigThatIsWrong(t *testing.T) {
	for name, wrong := range map[string]server.Config{
		"supervisor": {Supervisor: supervisor.Config{}},
		"api":        {API: server.API{Address: "0.0.0.0:0"}},
	} {
		b := &closing{Broker: memory.New(memory.Config{})}
		c := config(t, func(context.Context) (broker.Broker, error) { return b, nil })
		c.Server = wrong
		if err := running(t, c); !errors.Is(err, server.ErrConfig) && !errors.Is(err, supervisor.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
		if !b.closed {
			t.Errorf("%s: the broker is still open", name)
		}
	}
}

// A cluster that does not answer must not keep a server from being stopped.
func TestASignalWhileTheBrokerOpens(t *testing.T) {
	err := running(t, config(t, func(ctx context.Context) (broker.Broker, error) {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			return nil, err
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}))
	if err != nil {
		t.Errorf("nothing ran that could have been interrupted: %v", err)
	}
}
