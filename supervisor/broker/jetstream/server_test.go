package jetstream

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// node is a server of its own, which listens on the loopback interface.
type node struct {
	options server.Options
	running *server.Server
}

func newNode(t testing.TB, name string) *node {
	return &node{options: server.Options{
		ServerName: name, Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: t.TempDir(), MaxPayload: 8 << 20,
	}}
}

// start starts the node, again on the same port and directory if it ran before.
func (n *node) start(t testing.TB) {
	t.Helper()
	options := n.options
	s, err := server.NewServer(&options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	u, err := url.Parse(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(u.Port(), &n.options.Port); err != nil {
		t.Fatal(err)
	}
	n.running = s
}

func (n *node) stop() {
	if n.running != nil {
		n.running.Shutdown()
		n.running.WaitForShutdown()
		n.running = nil
	}
}

// url is where a node that was started can be reached.
func (n *node) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", n.options.Port) }

// oneServer is a server that is there until the test ends.
func oneServer(t testing.TB) *node {
	n := newNode(t, "one")
	n.start(t)
	t.Cleanup(n.stop)
	return n
}

// cluster is three servers that know each other.
func cluster(t testing.TB) []*node {
	t.Helper()
	var nodes []*node
	var routes []*url.URL
	for i := range 3 {
		n := newNode(t, fmt.Sprint("n", i))
		n.options.Cluster = server.ClusterOpts{Name: "three", Host: "127.0.0.1", Port: freePort(t)}
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", n.options.Cluster.Port)})
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		n.options.Routes = routes
		n.start(t)
		t.Cleanup(n.stop)
	}
	awaitLeader(t, nodes)
	return nodes
}

// awaitLeader waits until a cluster agrees on a leader.
func awaitLeader(t testing.TB, nodes []*node) {
	t.Helper()
	deadline := time.After(patience)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		for _, n := range nodes {
			if n.running != nil && n.running.JetStreamIsLeader() {
				return
			}
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal("the cluster has no leader")
		}
	}
}

func urls(nodes []*node) string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.url())
	}
	return strings.Join(all, ",")
}

// freePort is one that nobody listens on just now. Servers that are to be routes of each other must know
// their ports before they start.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it was never used
	return l.Addr().(*net.TCPAddr).Port
}
