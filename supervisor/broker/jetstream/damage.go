package jetstream

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/brood-run/brood/supervisor/broker/jetstream/internal/mend"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// mend mends the files of the data directory, and says what was wrong with them.
func (e *engine) mend() error {
	s := &session{cfg: e.cfg, names: names(e.cfg.Namespace), engine: e}
	found, err := mend.Dir(e.cfg.Dir, mend.Guide{Stream: s.streamMeta, Consumer: s.consumerMeta, Stateless: s.stateless})
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range found {
		e.tell(d)
		if d.Stream == s.names.stream("p") && !d.Mild {
			e.unsure, e.lost = true, append(e.lost, d.Names...)
			e.cfg.Logger.Error("it may not be known any more which pools were paused: look at brood pools")
		}
	}
	return err
}

// tell logs what is wrong with a file.
func (e *engine) tell(d mend.Damage) {
	level, fields := hclog.Error, []any{"stream", d.Stream, "file", d.File}
	if d.Mild || d.Torn {
		level = hclog.Warn
	}
	for _, r := range d.Ranges {
		if r.To > r.From {
			fields = append(fields, "bytes", fmt.Sprintf("%d-%d", r.From, r.To-1))
		}
		if r.First > 0 {
			fields = append(fields, "sequences", fmt.Sprintf("%d-%d", r.First, r.Last))
		}
	}
	if !d.Mild {
		fields = append(fields, "lost", fmt.Sprintf("%v%d", d.Count, d.Lost))
	}
	if len(d.Names) > 0 {
		fields = append(fields, "which", strings.Join(d.Names, " "))
	}
	if d.Aside != "" {
		fields = append(fields, "put_aside", d.Aside)
	}
	e.cfg.Logger.Log(level, d.What, fields...)
}

// streamMeta is the configuration of one of our streams, as the server stores it.
func (s *session) streamMeta(name string, sample []byte) ([]byte, error) {
	all := s.streams()
	if prefix := s.names.stream("q") + "_"; strings.HasPrefix(name, prefix) {
		pool := name[len(prefix):]
		if !plain(pool) { // it stands for a name that is in every task
			var t storepb.Task
			if err := proto.Unmarshal(sample, &t); err != nil || s.names.queueStream(t.GetPool()) != name {
				return nil, fmt.Errorf("it is the queue of a pool whose name was only there, and in its tasks, and there are none: move %s away", name)
			}
			pool = t.GetPool()
		}
		all = append(all, s.queue(pool))
	}
	i := slices.IndexFunc(all, func(c jetstream.StreamConfig) bool { return c.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("%s is not a stream of namespace %s: move it away", name, s.names)
	}
	cfg := all[i]
	cfg.Storage, cfg.Replicas = jetstream.FileStorage, 1
	info := server.FileStreamInfo{Created: time.Now().UTC()}
	return converted(cfg, &info.StreamConfig, &info)
}

// consumerMeta is the configuration of one of our consumers, as the server stores it.
func (s *session) consumerMeta(stream, name string) ([]byte, error) {
	cfg := s.dueConsumer()
	if prefix := s.names.stream("q") + "_"; strings.HasPrefix(stream, prefix) {
		if _, ok := levelOf(name); !ok {
			return nil, fmt.Errorf("%s is not a consumer of %s: move it away", name, stream)
		}
		cfg = s.levelConsumer(stream[len(prefix):], name)
	} else if stream != s.names.stream("t") || name != timesConsumer {
		return nil, fmt.Errorf("%s is not a consumer of %s: move it away", name, stream)
	}
	info := server.FileConsumerInfo{Created: time.Now().UTC(), Name: name}
	return converted(cfg, &info.ConsumerConfig, &info)
}

// converted brings a client's configuration into the form of the server's, which is a part of whole.
func converted(from, to, whole any) ([]byte, error) {
	data, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(whole)
}

// stateless: what came due and was not acknowledged is to be delivered at once, which is what happens without a state.
func (s *session) stateless(stream, _ string) bool { return stream == s.names.stream("t") }

// unsureOfPools says that marks or pauses may be lost.
func (e *engine) unsureOfPools() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.unsure
}

// lostOfPools says that what was stored of pools under a subject is lost.
func (e *engine) lostOfPools(subject string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.lost, subject)
}
