package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"
)

// serveOptions are the settings of `brood serve`, resolved.
type serveOptions struct {
	serverSettings
	tokenFile string
	tokens    []tokenOptions
	pools     []*poolOptions
}

// serverSettings are those that cannot change while the server runs, with their keys in the config file.
type serverSettings struct {
	listen   string `key:"listen"`
	tlsCert  string `key:"tls.cert"`
	tlsKey   string `key:"tls.key"`
	insecure bool   `key:"insecure"`

	dataDir     string        `key:"data_dir"`
	memory      bool          `key:"memory"`
	nats        string        `key:"nats"`
	credentials string        `key:"nats_credentials"`
	namespace   string        `key:"namespace"`
	replicas    int           `key:"replicas"`
	sync        time.Duration `key:"sync"` // negative: always
	lease       time.Duration `key:"lease"`
	resultTTL   time.Duration `key:"result_ttl"`
	queueSize   int           `key:"queue_size"`

	grace      time.Duration `key:"grace_period"`
	maxPayload int           `key:"max_payload"`
	limits     apiLimits

	logLevel  string `key:"log_level"`
	logFormat string `key:"log_format"`
}

// apiLimits bound what callers may ask for. Zero is the server's default.
type apiLimits struct {
	body        int           `key:"limits.max_body"`
	batch       int           `key:"limits.max_batch"`
	waits       int           `key:"limits.max_waits"`
	streams     int           `key:"limits.max_streams"`
	connections int           `key:"limits.max_connections"`
	rate        float64       `key:"limits.rate_per_token"`
	wait        time.Duration `key:"limits.max_wait"`
}

// differences are the keys of the settings that are others in next.
func (s serverSettings) differences(next serverSettings) []string {
	return append(differences(s, next), differences(s.limits, next.limits)...)
}

// differences compares the fields that have keys.
func differences[T any](a, b T) (keys []string) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if key := x.Type().Field(i).Tag.Get("key"); key != "" && !x.Field(i).Equal(y.Field(i)) {
			keys = append(keys, key)
		}
	}
	return keys
}

func newServeOptions() *serveOptions {
	return &serveOptions{serverSettings: serverSettings{
		listen: defaultListen, maxPayload: defaultServedPayload, grace: 30 * time.Second,
		logLevel: "info", logFormat: "text",
	}}
}

// What a broker stores of a task or a result is at most 31 MiB, with all that belongs to it.
const (
	defaultServedPayload = 16 << 20
	mostServedPayload    = 30 << 20
)

// defaultListen is where clients look for a server.
const defaultListen = "127.0.0.1:7717"

// section is a part of the config file. Its settings are flags too, with a prefix that the file
// leaves out.
type section struct {
	key    string // of the file; empty: they are at its top
	prefix string
	title  string // in the help
	all    []setting
}

func (s section) fileKey(one setting) string { return strings.TrimPrefix(one.key(), s.prefix) }

// sections lists every setting of a server that is not one of a pool, bound to o's fields.
func (o *serveOptions) sections() []section {
	l := &o.limits
	return []section{
		{"", "", "API", []setting{
			{"listen", "`ADDRESS` of the API: HOST:PORT, or unix:/path. One that other machines can reach needs TLS, or --insecure, and a token", defaultListen, single, text(&o.listen)},
			{"insecure", "serve other machines without TLS", "", toggle, boolean(&o.insecure)},
		}},
		{"tls", "tls_", "TLS", []setting{
			{"tls-cert", "`FILE` with the certificate of the API, in PEM; read again at a reload", "no TLS", single, text(&o.tlsCert)},
			{"tls-key", "`FILE` with its key, in PEM", "", single, text(&o.tlsKey)},
		}},
		{"", "", "Tasks and results", []setting{
			{"data-dir", "`DIRECTORY` that keeps tasks and results, for this server alone", dataDirHelp, single, text(&o.dataDir)},
			{"memory", "keep tasks and results in memory: they end with the server", "", toggle, boolean(&o.memory)},
			{"nats", "`URL` of NATS servers that keep them instead: nats://a,b,c; any number of brood servers share the work", "none", single, text(&o.nats)},
			{"nats-credentials", "`FILE` with the credentials for --nats", "", single, text(&o.credentials)},
			{"namespace", "begin the names of streams in NATS with `NAME`, so that several installations can share it", "brood", single, text(&o.namespace)},
			{"replicas", "let NATS keep `N` copies of everything", "3 in a cluster, else 1", single, whole(&o.replicas, 1, 5)},
			{"sync", "make files safe from a power cut at this `INTERVAL`, or always: before each answer. Killing the server loses nothing", "1s", single, o.syncValue()},
			{"lease", "give a task to another server this `DURATION` after its own was last heard of", "10s", single, atLeast(&o.lease, time.Second)},
			{"result-ttl", "keep results for this `DURATION`", "24h", single, atLeast(&o.resultTTL, time.Second)},
			{"queue-size", "refuse tasks when a pool has `N` of them", "10000000, or 1000000 with --memory", single, whole(&o.queueSize, 1, 1<<31-1)},
			{"max-payload", "largest payload and largest result, a `SIZE` up to 30MiB", "16MiB", single, sizeWithin(&o.maxPayload, 1, mostServedPayload)},
			{"grace-period", "`DURATION` that running tasks may take to finish at a stop; what is left goes back to the queue", "30s", single, duration(&o.grace)},
		}},
		{"limits", "", "Limits of callers", []setting{
			{"max-body", "largest request, a `SIZE`", "one and a half times --max-payload, and 4MiB", single, sizeWithin(&l.body, 1<<10, 4<<30)},
			{"max-batch", "`N` tasks or ids in one request", "1000", single, whole(&l.batch, 1, 100_000)},
			{"max-waits", "`N` tasks that are waited for at a time", "10000", single, whole(&l.waits, 1, 10_000_000)},
			{"max-streams", "`N` streams that are open at a time", "1000", single, whole(&l.streams, 1, 1_000_000)},
			{"max-connections", "`N` connections that are open at a time", "20000", single, whole(&l.connections, 1, 10_000_000)},
			{"rate-per-token", "`N` requests a second for each token", "no limit", single, perSecond(&l.rate)},
			{"max-wait", "longest `DURATION` of one wait", "1m", single, atLeast(&l.wait, time.Millisecond)},
		}},
		{"", "", "Messages", []setting{
			{"log-level", "`LEVEL` of messages on stderr: trace, debug, info, warn, error or off", "info", single,
				choice(&o.logLevel, "trace", "debug", "info", "warn", "error", "off")},
			{"log-format", "`FORMAT` of messages: text or json", "text", single, choice(&o.logFormat, "text", "json")},
		}},
	}
}

// tokenSetting is a flag only: the file has its tokens, with their roles.
func (o *serveOptions) tokenSetting() setting {
	return setting{"token-file", "`FILE` with a token that may do everything; or put the token in BROOD_TOKEN", "", single, text(&o.tokenFile)}
}

// groups is what the help lists: the one pool of --plugin, and the server.
func (o *serveOptions) groups(p *poolOptions) []group {
	own := p.groups()
	own[0].title = "A server with one pool"
	for _, s := range o.sections() {
		g := group{s.title, s.all}
		if s.key == "tls" {
			g.settings = append(g.settings, o.tokenSetting())
			own[len(own)-1].settings = append(own[len(own)-1].settings, g.settings...) // they belong to the API
			continue
		}
		own = append(own, g)
	}
	return own
}

func (o *serveOptions) syncValue() value {
	v := duration(&o.sync)
	read := v.set
	return value{
		schema: schema{"anyOf": []schema{{"const": "always"}, v.schema}},
		set: func(raw string) error {
			if raw == "always" {
				o.sync = -1
				return nil
			}
			if err := read(raw); err != nil {
				return fmt.Errorf("expected always, or a duration with a unit such as 100ms or 1s, found %q", raw)
			}
			if o.sync == 0 {
				o.sync = -1 // at no interval is always
			}
			return nil
		},
	}
}

// atLeast is a duration that may not be shorter.
func atLeast(field *time.Duration, least time.Duration) value {
	return value{schema: durationSchema(), set: func(raw string) error {
		d, err := parseDuration(raw)
		if err == nil && d < least {
			err = fmt.Errorf("expected %v at least, found %q", least, raw)
		}
		*field = d
		return err
	}}
}

func perSecond(field *float64) value {
	return value{schema: schema{"type": "number", "exclusiveMinimum": 0, "maximum": 1e9}, set: func(raw string) error {
		var f float64
		if _, err := fmt.Sscanf(raw+"\n", "%g\n", &f); err != nil || !(f > 0 && f <= 1e9) {
			return fmt.Errorf("expected requests a second, a number above 0, found %q", raw)
		}
		*field = f
		return nil
	}}
}

const dataDirHelp = "/var/lib/brood for root, else ~/.local/state/brood"

// dataDirectory is the setting, or its default: where the system keeps what programs must not lose.
func (o *serveOptions) dataDirectory() (string, error) {
	if o.dataDir != "" {
		return o.dataDir, nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/brood", nil
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "brood"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usageErrorf("--data-dir is needed: %v", err)
	}
	return filepath.Join(home, ".local", "state", "brood"), nil
}

// check finds settings that are wrong only together, and names the key of one of them.
func (o *serveOptions) check() (key string, err error) {
	ways := 0
	for name, given := range map[string]bool{"data_dir": o.dataDir != "", "memory": o.memory, "nats": o.nats != ""} {
		if given {
			ways++
			key = max(key, name)
		}
	}
	switch {
	case ways > 1:
		return key, errors.New("data_dir, memory and nats exclude each other: tasks are kept in one place")
	case o.nats == "" && o.credentials != "":
		return "nats_credentials", errors.New("nats_credentials has no effect without nats")
	case o.nats == "" && o.namespace != "":
		return "namespace", errors.New("namespace has no effect without nats")
	case o.nats == "" && o.replicas > 0:
		return "replicas", errors.New("replicas has no effect without nats")
	case o.sync != 0 && (o.nats != "" || o.memory):
		return "sync", errors.New("sync has an effect with data_dir only: NATS servers have a setting of their own")
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return "tls", errors.New("tls: a cert and a key are needed, or neither")
	}
	return "", nil
}
