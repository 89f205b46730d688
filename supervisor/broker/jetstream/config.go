package jetstream

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Config says where JetStream is and what is kept for how long. Either Dir or URL is required.
type Config struct {
	// Dir is the data directory of a server embedded in this process. It is made if it is not there,
	// and locked: one process at a time. No port is opened.
	Dir string
	// URL of a server or a cluster: nats://a,b,c. Several brokers may share it.
	URL string

	// User and Password, Token or CredentialsFile say who we are. For URL only.
	User, Password  string
	Token           string
	CredentialsFile string
	// TLS is how to connect. Nil means TLS as the server asks for it, with the system's roots. For URL only.
	TLS *tls.Config

	// Sync is how often the embedded server makes its files safe from a power cut. Negative means
	// before each answer. Defaults to 1s. A killed process loses nothing, whatever Sync is.
	Sync time.Duration
	// LeaseTime is how long a task stays with a supervisor that is not heard of. At least 1s.
	// Defaults to 10s.
	LeaseTime time.Duration
	// ResultTTL is how long results are kept. At least 1s. Defaults to 24h.
	ResultTTL time.Duration
	// MaxResults is how many results are kept at most; the oldest go first. Defaults to 10,000,000.
	MaxResults int
	// MaxDead is how many dead letters are kept at most; the oldest go first. Defaults to 1,000,000.
	MaxDead int
	// QueueSize is how many tasks a pool's queue holds at most. Defaults to 10,000,000.
	QueueSize int
	// MaxMessage bounds what is stored of one task or result in bytes. For Dir only: a remote
	// server has a limit of its own. At most 31 MiB, which is the default.
	MaxMessage int
	// Replicas of each stream. Defaults to 1 for Dir; for URL to 3 in a cluster of at least three
	// servers, otherwise 1. Streams that exist keep theirs.
	Replicas int
	// Timeout bounds each exchange with the server. Defaults to 5s.
	Timeout time.Duration
	// Namespace starts the name of each stream and subject, so that several broods can share a
	// cluster. Letters, digits, - and _. Defaults to "brood".
	Namespace string
	// Logger gets what an operator should know. Nil means none.
	Logger hclog.Logger
}

const (
	defaultSync       = time.Second
	defaultLeaseTime  = 10 * time.Second
	defaultResultTTL  = 24 * time.Hour
	defaultMaxResults = 10_000_000
	defaultMaxDead    = 1_000_000
	defaultQueueSize  = 10_000_000
	defaultTimeout    = 5 * time.Second
	defaultNamespace  = "brood"
	// The server's files take records of up to 32 MiB, subject and header included.
	mostMessage = 31 << 20
)

func (c Config) withDefaults() Config {
	fill(&c.Sync, defaultSync)
	fill(&c.LeaseTime, defaultLeaseTime)
	fill(&c.ResultTTL, defaultResultTTL)
	fill(&c.MaxResults, defaultMaxResults)
	fill(&c.MaxDead, defaultMaxDead)
	fill(&c.QueueSize, defaultQueueSize)
	fill(&c.Timeout, defaultTimeout)
	fill(&c.Namespace, defaultNamespace)
	fill(&c.MaxMessage, mostMessage)
	if c.Dir != "" {
		fill(&c.Replicas, 1)
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate looks at a configuration that has its defaults.
func (c Config) validate() error {
	switch {
	case slices.Contains(c.servers(), ""):
		return errors.New("jetstream: the URL is not one of a server, or several with commas between them")
	case c.Dir == "" && c.URL == "":
		return errors.New("jetstream: neither a data directory nor a URL is given")
	case c.Dir != "" && c.URL != "":
		return errors.New("jetstream: a data directory and a URL exclude each other")
	case c.Dir != "" && c.Replicas != 1:
		return fmt.Errorf("jetstream: replicas is %d, an embedded server has 1", c.Replicas)
	case c.Replicas < 0 || c.Replicas > 5:
		return fmt.Errorf("jetstream: replicas is %d, outside 1 to 5", c.Replicas)
	case c.LeaseTime < time.Second:
		return fmt.Errorf("jetstream: lease time is %v, less than 1s", c.LeaseTime)
	case c.ResultTTL < time.Second:
		return fmt.Errorf("jetstream: result ttl is %v, less than 1s", c.ResultTTL)
	case c.MaxResults < 0 || c.MaxDead < 0 || c.QueueSize < 0:
		return errors.New("jetstream: a limit is negative")
	case c.MaxMessage < 0 || c.MaxMessage > mostMessage:
		return fmt.Errorf("jetstream: the limit of a message is %d bytes, outside 1 to %d", c.MaxMessage, mostMessage)
	case c.Timeout < 0:
		return fmt.Errorf("jetstream: timeout is %v", c.Timeout)
	case !plain(c.Namespace):
		return fmt.Errorf("jetstream: namespace %q has other characters than letters, digits, - and _, or more than %d",
			c.Namespace, longestToken)
	}
	return nil
}

// servers are those of URL as anybody may see them: without names, passwords and tokens. One that cannot be read is empty.
func (c Config) servers() []string {
	if c.URL == "" {
		return nil
	}
	var servers []string
	for s := range strings.SplitSeq(c.URL, ",") {
		s = strings.TrimSpace(s)
		if !strings.Contains(s, "://") {
			s = "nats://" + s
		}
		u, err := url.Parse(s)
		if err != nil || u.Host == "" {
			servers = append(servers, "")
			continue
		}
		servers = append(servers, u.Scheme+"://"+u.Host)
	}
	return servers
}
