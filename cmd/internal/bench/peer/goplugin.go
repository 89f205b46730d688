package peer

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// cookie tells a process that it is a plugin.
const cookieKey, cookieValue = "BROOD_BENCH_GRPC_PEER", "echo"

func handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: cookieKey, MagicCookieValue: cookieValue}
}

// IsPlugin says that this process was started as a child of GoPlugin.
func IsPlugin() bool { return os.Getenv(cookieKey) == cookieValue }

// ServePlugin is the child's side. It returns when the parent is done.
func ServePlugin() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake(),
		Plugins:         plugin.PluginSet{"echo": &echo{}},
		GRPCServer:      plugin.DefaultGRPCServer,
		Logger:          hclog.NewNullLogger(),
	})
}

// echo is the plugin as go-plugin wants it: each side of one gRPC connection.
type echo struct{ plugin.NetRPCUnsupportedPlugin }

func (*echo) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&service, nil)
	return nil
}

func (*echo) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

// GoPlugin is a set of plugins behind go-plugin's gRPC transport.
type GoPlugin struct {
	dir     string // of the children's sockets
	clients []*plugin.Client
	conns   []*grpc.ClientConn
}

// OpenGoPlugin starts n children from self, a program that calls ServePlugin, and
// waits for an answer of each.
func OpenGoPlugin(ctx context.Context, self string, n int) (*GoPlugin, error) {
	dir, err := os.MkdirTemp("", "brood-bench-")
	if err != nil {
		return nil, err
	}
	g := &GoPlugin{dir: dir}
	for range n {
		if err := g.open(self); err != nil {
			g.Close()
			return nil, err
		}
	}
	for _, c := range g.conns {
		if err := unary(ctx, c, []byte("ready?")); err != nil {
			g.Close()
			return nil, err
		}
	}
	return g, nil
}

func (g *GoPlugin) open(self string) error {
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "TMPDIR="+g.dir) // a child that is killed leaves its socket
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake(),
		Plugins:          plugin.PluginSet{"echo": &echo{}},
		Cmd:              cmd,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
	})
	g.clients = append(g.clients, client)
	protocol, err := client.Client()
	if err != nil {
		return fmt.Errorf("go-plugin: %w", err)
	}
	raw, err := protocol.Dispense("echo")
	if err != nil {
		return fmt.Errorf("go-plugin: %w", err)
	}
	g.conns = append(g.conns, raw.(*grpc.ClientConn))
	return nil
}

// PIDs of the children.
func (g *GoPlugin) PIDs() []int {
	var all []int
	for _, c := range g.clients {
		if r := c.ReattachConfig(); r != nil {
			all = append(all, r.Pid)
		}
	}
	return all
}

// Close ends the children.
func (g *GoPlugin) Close() {
	for _, c := range g.clients {
		c.Kill()
	}
	_ = os.RemoveAll(g.dir) // a temporary directory, which the system clears too
}
