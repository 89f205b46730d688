package cli

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brood-run/brood/cmd/internal/client"
	"github.com/brood-run/brood/supervisor/task"
)

// serverKeys are the keys of an input line that only a server can follow.
var serverKeys = []string{"delay", "at", "unique_key", "unique_ttl", "concurrency_key", "concurrency_limit"}

// serverKeyIndex is a key's bit in taskLine.seen, after those of keyIndex.
func serverKeyIndex(key string) int {
	if i := slices.Index(serverKeys, key); i >= 0 {
		return 16 + i
	}
	return -1
}

// lineOptions are the values of serverKeys.
type lineOptions struct {
	delay       time.Duration
	at          time.Time
	uniqueKey   string
	uniqueTTL   time.Duration
	concurrency string
	limit       int
}

func (o *lineOptions) set(key string, value []byte) (err error) {
	switch key {
	case "delay":
		o.at = time.Time{}
		o.delay, err = decodeDuration(value)
	case "at":
		o.delay = 0
		o.at, err = decodeTime(value)
	case "unique_key":
		o.uniqueKey, err = nonEmpty(value)
	case "unique_ttl":
		o.uniqueTTL, err = decodeDuration(value)
	case "concurrency_key":
		o.concurrency, err = nonEmpty(value)
	case "concurrency_limit":
		o.limit, err = decodeWhole(value, 1, 1<<31-1)
	}
	return err
}

func decodeTime(value []byte) (time.Time, error) {
	s, err := unquote(value)
	if err != nil {
		return time.Time{}, err
	}
	return parseTime(s)
}

func parseTime(raw string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, raw)
	if err != nil {
		return time.Time{}, fmt.Errorf("expected a time such as 2026-01-31T08:30:00Z or 2026-01-31T08:30:00+02:00, found %q", raw)
	}
	return at, nil
}

// check finds options that have no effect alone.
func (o *lineOptions) check() error {
	switch {
	case o.uniqueTTL > 0 && o.uniqueKey == "":
		return errors.New("unique_ttl has no effect without unique_key")
	case o.limit > 0 && o.concurrency == "":
		return errors.New("concurrency_limit has no effect without concurrency_key")
	}
	return nil
}

// parseSubmitLine reads a line for a server. What it does not say is taken from the defaults. With an
// error, the submission holds what could be read up to there.
func parseSubmitLine(text []byte, defaults task.Task, more lineOptions, maxPayload int) (client.Submission, error) {
	l := taskLine{task: defaults, more: &more}
	t, err := l.parse(text, maxPayload)
	if err == nil && l.seen>>serverKeyIndex("delay")&1 == 1 && l.seen>>serverKeyIndex("at")&1 == 1 {
		err = errors.New("give delay or at, not both")
	}
	if err == nil {
		err = more.check()
	}
	return more.submission(t), err
}

func (o *lineOptions) submission(t task.Task) client.Submission {
	return client.Submission{
		Task: t, Delay: o.delay, At: o.at, UniqueKey: o.uniqueKey, UniqueTTL: o.uniqueTTL,
		ConcurrencyKey: o.concurrency, ConcurrencyLimit: o.limit,
	}
}
