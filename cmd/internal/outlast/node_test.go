package outlast

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// node is a NATS server that is started again and again.
type node struct {
	t    testing.TB
	name string
	url  string
	args []string
	p    *process
}

// newCluster starts nodes that know each other, and waits until they are ready.
func newCluster(t testing.TB, n int) []*node {
	t.Helper()
	at := free(t, 2*n)
	routes := make([]string, n)
	for i := range routes {
		routes[i] = fmt.Sprint("nats://127.0.0.1:", at[n+i])
	}
	nodes := make([]*node, n)
	for i := range nodes {
		name := fmt.Sprint("node-", i)
		nodes[i] = &node{t: t, name: name, url: fmt.Sprint("nats://127.0.0.1:", at[i]), args: []string{
			"-name", name, "-dir", filepath.Join(t.TempDir(), name), "-port", fmt.Sprint(at[i]),
		}}
		if n > 1 {
			nodes[i].args = append(nodes[i].args, "-peer", fmt.Sprint(at[n+i]), "-routes", strings.Join(routes, ","))
		}
		nodes[i].start()
	}
	for _, n := range nodes {
		n.ready()
	}
	return nodes
}

// free finds ports that nobody listens on. Somebody could before we do; then the test fails loudly.
func free(t testing.TB, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // all at the end, so that they differ
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}

func (n *node) start() { n.p = run(n.t, n.name, nil, filepath.Join(bin, "node"), n.args...) }

// ready waits until it has caught up with the others.
func (n *node) ready() {
	n.t.Helper()
	if err := n.p.await("node: ready"); err != nil {
		n.t.Fatal(err)
	}
}

func urls(nodes []*node) string {
	all := make([]string, len(nodes))
	for i, n := range nodes {
		all[i] = n.url
	}
	return strings.Join(all, ",")
}
