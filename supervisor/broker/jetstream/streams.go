package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// stateTTL is how long the state of a task that was leased before is kept; it is renewed with each
// attempt.
const stateTTL = 30 * 24 * time.Hour

// lateTime is for how long a server may keep a task that it was sent before it stores it.
const lateTime = 2 * time.Minute

// streams are all that a broker has but the queues.
func (s *session) streams() []jetstream.StreamConfig {
	ns, cfg := s.names, s.cfg
	kept := func(kind string) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: ns.stream(kind), Subjects: []string{ns.subject(kind, ">")}, MaxMsgsPerSubject: 1, AllowDirect: true,
		}
	}
	results := kept("r")
	results.Discard, results.DiscardNewPerSubject, results.MaxAge = jetstream.DiscardNew, true, cfg.ResultTTL
	if s.engine == nil {
		// Others learn that a result is there from the server, which says so after it was stored.
		results.RePublish = &jetstream.RePublish{Source: ns.subject("r", "*"), Destination: ns.subject("x", "done", "{{wildcard(1)}}"), HeadersOnly: true}
	}
	states := kept("s")
	states.Subjects = append(states.Subjects, ns.subject("w", ">"))
	states.MaxAge, states.AllowMsgTTL = stateTTL, true
	letters := kept("d")
	letters.MaxMsgs = int64(cfg.MaxDead)
	pools := kept("p")
	all := []jetstream.StreamConfig{results, states, letters, pools, s.times(), s.holders()}
	if s.engine == nil {
		all = append(all, s.slots())
	}
	return all
}

// queue is the stream of a pool's tasks.
func (s *session) queue(pool string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: s.names.queueStream(pool), Subjects: []string{s.names.subject("q", token(pool), ">")},
		Metadata: map[string]string{"pool": pool}, Retention: jetstream.WorkQueuePolicy, AllowDirect: true,
		// A second task with the id of one that waits is refused, and so is one too many.
		MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgs: int64(s.cfg.QueueSize), FirstSeq: s.firstSeq(),
		Duplicates: min(lateTime, s.cfg.ResultTTL), // see enqueuing.header
	}
}

// firstSeq is where the sequences of a stream begin of which messages are acknowledged. They are acknowledged by their
// sequences alone: what a server had stored, and has lost, must not be taken for what is in its place now. Nobody stores a
// million messages a second. An embedded server does not lose a stream while its messages are leased.
func (s *session) firstSeq() uint64 {
	if s.engine != nil {
		return 0
	}
	return uint64(stamp(time.Now()) / int64(time.Microsecond))
}

// makeStreams makes all that a broker has but the queues.
func (s *session) makeStreams(ctx context.Context) error { return s.ensure(ctx, s.streams()...) }

// ensure makes streams that are not there and brings the limits of those that are up to date.
func (s *session) ensure(ctx context.Context, streams ...jetstream.StreamConfig) error {
	for _, cfg := range streams {
		if err := s.ensureOne(ctx, cfg); err != nil {
			return fmt.Errorf("stream %s: %w", cfg.Name, unavailable(err))
		}
	}
	return nil
}

func (s *session) ensureOne(ctx context.Context, cfg jetstream.StreamConfig) error {
	cfg.Storage, cfg.Replicas = jetstream.FileStorage, s.replicas()
	existing, err := s.lookUp(ctx, cfg.Name)
	if s.engine == nil && (cfg.Replicas > 1 || err == nil && existing.CachedInfo().Config.Replicas > 1) {
		s.replicated.Store(true)
	}
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		err = s.insist(ctx, func(ctx context.Context) error {
			_, err := s.js.CreateStream(ctx, cfg)
			return err
		})
		if err == nil && s.engine == nil || errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return s.awaitStream(ctx, cfg.Name) // somebody else may have been quicker
		}
		return err
	case err != nil:
		return err
	}
	now := existing.CachedInfo().Config
	if now.MaxMsgs == limit(cfg.MaxMsgs) && now.MaxAge == cfg.MaxAge {
		return nil
	}
	now.MaxMsgs, now.MaxAge = limit(cfg.MaxMsgs), cfg.MaxAge
	if now.MaxAge > 0 {
		now.Duplicates = min(now.Duplicates, now.MaxAge) // the server asks for that
	}
	_, err = s.js.UpdateStream(ctx, now)
	return err
}

// awaitStream waits until a stream can be seen that somebody else is making: in a cluster that takes a moment.
func (s *session) awaitStream(ctx context.Context, name string) error {
	for {
		_, err := s.lookUp(ctx, name)
		if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(inProcessPause):
		}
	}
}

// lookUp finds a stream.
func (s *session) lookUp(ctx context.Context, name string) (stream jetstream.Stream, err error) {
	err = s.insist(ctx, func(ctx context.Context) error {
		stream, err = s.js.Stream(ctx, name)
		return err
	})
	return stream, err
}

// limit is a limit as the server reports it.
func limit(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}
