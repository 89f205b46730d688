package cli

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor"
)

// announce says where everything is, and what to try first.
func (s *serving) announce(out *progress, logger hclog.Logger, at net.Addr, dir string) {
	place := s.keptIn(dir)
	url := s.url(at)
	if s.logFormat == "json" {
		logger.Info("serving", "address", url, "data", place, "pools", len(s.pools))
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "brood: serving at %s; tasks are kept %s\n", url, place)
	for _, p := range s.pools {
		fmt.Fprintf(&b, "brood: pool %s: %s of %s for %s\n", p.Name, workersOf(p), p.Plugin, some(p.Tasks))
	}
	if len(s.pools) > 0 && len(s.pools[0].Tasks) > 0 {
		fmt.Fprintf(&b, "brood: try: %s\n", s.example(url))
	}
	fmt.Fprint(out, b.String())
}

func (s *serving) keptIn(dir string) string {
	switch {
	case s.memory:
		return "in memory, and lost when the server ends"
	case s.nats != "":
		return "in NATS"
	}
	return "in " + dir
}

func (s *serving) url(at net.Addr) string {
	switch {
	case at.Network() == "unix":
		return "unix:" + at.String()
	case s.tlsCert != "":
		return "https://" + at.String()
	}
	return "http://" + at.String()
}

// example is a command that gives this server a task. What payload a task takes is known of echo alone.
func (s *serving) example(url string) string {
	line := "brood submit --wait"
	if url != "http://"+defaultListen {
		line += " --addr " + url
	}
	name, payload := "NAME", " --payload JSON"
	if slices.ContainsFunc(s.pools, func(p supervisor.PoolConfig) bool { return slices.Contains(p.Tasks, "echo") }) {
		name, payload = "echo", " 'some text'"
	}
	if len(s.pools) > 1 || len(s.pools[0].Tasks) > 1 {
		line += " --task " + name
	}
	return line + payload
}

func workersOf(p supervisor.PoolConfig) string {
	if p.Workers == 0 {
		return "a worker for each CPU"
	}
	return plural(p.Workers, "worker")
}

func some(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
