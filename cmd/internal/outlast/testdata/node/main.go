// Node is a NATS server for tests: one of a cluster on the loopback. It says "ready" once everything
// that it keeps has caught up with the others. With -count it prints instead how many messages a stream
// has, and how many it ever had.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	name := flag.String("name", "", "")
	dir := flag.String("dir", "", "")
	port := flag.Int("port", 0, "for clients")
	peer := flag.Int("peer", 0, "port for the other nodes")
	routes := flag.String("routes", "", "the other nodes, with commas")
	stream := flag.String("count", "", "a stream")
	at := flag.String("nats", "", "where to count; else in -dir")
	flag.Parse()
	var err error
	if *stream != "" {
		err = count(*dir, *at, *stream)
	} else {
		err = serve(*name, *dir, *port, *peer, *routes)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

func serve(name, dir string, port, peer int, routes string) error {
	o := &server.Options{
		ServerName: name, Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir,
	}
	if peer != 0 {
		o.Cluster = server.ClusterOpts{Name: "outlast", Host: "127.0.0.1", Port: peer, NoAdvertise: true}
		for _, r := range strings.Split(routes, ",") {
			u, err := url.Parse(r)
			if err != nil {
				return err
			}
			o.Routes = append(o.Routes, u)
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	s.ConfigureLogger()
	s.Start()
	for !healthy(s) {
		time.Sleep(20 * time.Millisecond) // it tells nobody
	}
	fmt.Fprintln(os.Stderr, "node: ready")
	s.WaitForShutdown()
	return nil
}

// healthy says what the server would answer to a monitor.
func healthy(s *server.Server) bool {
	answer := httptest.NewRecorder()
	s.HandleHealthz(answer, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	return answer.Code == http.StatusOK
}

func count(dir, at, stream string) error {
	options := []nats.Option{}
	if dir != "" {
		s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, JetStream: true, StoreDir: dir})
		if err != nil {
			return err
		}
		s.Start()
		defer s.WaitForShutdown()
		defer s.Shutdown()
		if !s.ReadyForConnections(time.Minute) {
			return fmt.Errorf("no server on %s", dir)
		}
		options = append(options, nats.InProcessServer(s))
	}
	nc, err := nats.Connect(at, options...)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	found, err := js.Stream(context.Background(), stream)
	if err != nil {
		return err
	}
	state := found.CachedInfo().State
	fmt.Println(state.Msgs, state.LastSeq)
	return nil
}
