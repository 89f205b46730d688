package arch

// module is ours; rooms below are named relative to it.
const module = "github.com/brood-run/brood"

// room is what the packages that match a path may import of our own module. A
// final * stands for one or more path elements.
type room struct {
	path  string
	may   []string
	tests []string // what its tests may import besides
	std   bool     // and otherwise nothing but the standard library
	why   string   // the rule in words, for whoever breaks it
}

// rooms, lowest first: a room may only name rooms on the lines before its own, so
// that nobody can import upwards. The first line that matches a package counts.
var rooms = []room{
	{path: "ipc", std: true, why: "the contract is declarations only"},
	{path: "ipc/wire", may: []string{"ipc"}, std: true, why: "the codec needs the contract and the standard library"},
	{path: "ipc/scoreboard", std: true, why: "a shared page needs nobody"},
	{path: "ipc/pipe", std: true, why: "ends of pipes need nobody"},
	{path: "ipc/conn", may: []string{"ipc", "ipc/wire", "ipc/scoreboard", "ipc/pipe"}, std: true, why: "calls are built on frames"},

	{path: "child", may: []string{"ipc", "ipc/*"}, why: "plugin authors link the contract and hclog, nothing of the supervisor"},
	{path: "plugins/*", may: []string{"child"}, why: "a plugin knows the SDK only"},

	{path: "supervisor/task", may: []string{"ipc/wire"}, std: true, why: "nouns are a leaf that everybody may import; wire has their limits"},
	{path: "supervisor/event", std: true, why: "events are a leaf that everybody may import"},
	{path: "supervisor/internal/policy", std: true, why: "decisions are pure"},
	{path: "supervisor/broker", may: []string{"supervisor/task"}, why: "a broker holds tasks"},
	{path: "supervisor/broker/jetstream/internal/mend", why: "files are files, whatever is in the messages"},
	{path: "supervisor/broker/*", may: []string{
		"supervisor/broker", "supervisor/broker/*", "supervisor/task", "supervisor/internal/policy",
	}, why: "a broker holds tasks, in their order"},
	{path: "supervisor/internal/proc", why: "processes know nothing of tasks"},
	{path: "supervisor/internal/cgroup", why: "cgroups know nothing of processes but their numbers"},
	{path: "supervisor/internal/worker", may: []string{
		"ipc", "ipc/*", "supervisor/task", "supervisor/event", "supervisor/internal/policy", "supervisor/internal/proc",
		"supervisor/internal/cgroup",
	}, why: "a worker is one process and its pipes"},
	{path: "supervisor/internal/pool", may: []string{
		"ipc", "supervisor/task", "supervisor/event", "supervisor/internal/policy", "supervisor/internal/proc",
		"supervisor/internal/worker",
	}, tests: []string{"supervisor/internal/dispatch"}, why: "a pool keeps workers alive, wherever their tasks come from"},
	{path: "supervisor/internal/dispatch", may: []string{
		"ipc", "ipc/wire", "supervisor/task", "supervisor/event", "supervisor/broker", "supervisor/broker/*",
		"supervisor/internal/policy", "supervisor/internal/pool", "supervisor/internal/worker",
	}, why: "it deals the tasks to the workers of a pool"},
	{path: "supervisor/internal/feed", may: []string{
		"supervisor/task", "supervisor/event", "supervisor/broker", "supervisor/internal/policy", "supervisor/internal/dispatch",
	}, tests: []string{"supervisor/broker/*"}, why: "it carries tasks from a broker to a dispatcher and results back"},
	{path: "supervisor/api/v1", why: "the API is generated from its schema"},
	{path: "supervisor", may: []string{
		"ipc", "ipc/wire", "supervisor/task", "supervisor/event", "supervisor/broker", "supervisor/internal/policy",
		"supervisor/internal/proc", "supervisor/internal/cgroup", "supervisor/internal/worker", "supervisor/internal/pool",
		"supervisor/internal/dispatch", "supervisor/internal/feed",
	}, tests: []string{"supervisor/broker/*"}, why: "it composes the rooms below it"},
	{path: "supervisor/internal/httpapi", may: []string{
		"supervisor", "supervisor/task", "supervisor/event", "supervisor/broker", "supervisor/api/v1",
	}, tests: []string{"supervisor/broker/memory"}, why: "it translates between the API and a supervisor"},
	{path: "supervisor/server", may: []string{
		"supervisor", "supervisor/task", "supervisor/event", "supervisor/broker", "supervisor/broker/*", "supervisor/api/v1",
		"supervisor/internal/httpapi",
	}, why: "it puts a supervisor, its broker and the API together"},

	{path: "cmd/internal/arch", std: true, why: "it looks at the house from outside"},
	{path: "cmd/internal/bench/bare", std: true, why: "it is the least a process can be"},
	{path: "cmd/internal/bench/pace", std: true, why: "it needs a clock"},
	{path: "cmd/internal/bench/peer", may: []string{"cmd/internal/bench/pace"}, why: "peers run without brood"},
	{path: "cmd/internal/bench/limit", may: []string{"cmd/internal/bench/pace"}, why: "the machine's limits are measured without brood"},
	{path: "cmd/internal/client", may: []string{"supervisor/task", "supervisor/api/v1"}, why: "it knows a server by its API only"},
	{path: "cmd/internal/*", may: []string{"ipc", "ipc/wire", "supervisor", "supervisor/task", "supervisor/event", "supervisor/broker",
		"supervisor/broker/*", "supervisor/server", "supervisor/api/v1", "cmd/internal/*"},
		why: "the command uses the library as anybody could"},
	{path: "cmd/*", may: []string{"cmd/internal/*"}, why: "a main is a call of its command line"},
}

// library is a third-party module and the one room that may import it.
type library struct {
	path string
	room string   // empty: every room that is not std
	also []string // rooms that need it for a reason of their own
	test bool     // for test files only, of any room, and for those in also
}

var libraries = []library{
	{path: "github.com/hashicorp/go-hclog"},
	{path: "golang.org/x/sync"},
	{path: "golang.org/x/sys"}, // the rest of package syscall
	// The peer of the benchmarks is go-plugin's own transport, which brood does not use.
	{path: "github.com/hashicorp/go-plugin", room: "supervisor/internal/worker", also: []string{"cmd/internal/bench/peer"}},
	{path: "google.golang.org/grpc", room: "cmd/internal/bench/peer"},
	{path: "google.golang.org/protobuf", room: "supervisor/api/v1", also: []string{
		"supervisor/internal/httpapi", "supervisor/broker/jetstream", "supervisor/broker/jetstream/storepb", "cmd/internal/client", "cmd/internal/cli", "cmd/internal/bench/peer",
	}},
	{path: "google.golang.org/genproto/googleapis/rpc", room: "supervisor/internal/httpapi"}, // how gRPC says when to try again
	{path: "golang.org/x/time", room: "supervisor/internal/httpapi"},
	{path: "golang.org/x/net", room: "supervisor/server"}, // a listener with a limit
	{path: "connectrpc.com/connect", room: "supervisor/api/v1", also: []string{"supervisor/internal/httpapi", "supervisor/server", "cmd/internal/client"}},
	{path: "github.com/coreos/go-systemd/v22", room: "cmd/internal/serve"}, // what a service manager is told, and how
	{path: "github.com/nats-io/nats-server/v2", room: "supervisor/broker/jetstream"},
	{path: "github.com/nats-io/nats.go", room: "supervisor/broker/jetstream"},
	{path: "github.com/minio/highwayhash", room: "supervisor/broker/jetstream/internal/mend"}, // the server's checksums
	{path: "github.com/shirou/gopsutil/v3", room: "supervisor/internal/proc"},
	{path: "github.com/google/uuid", room: "supervisor", also: []string{"cmd/internal/client"}},
	{path: "golang.org/x/image", room: "plugins/thumbnail"},
	{path: "github.com/urfave/cli/v2", room: "cmd/internal/cli"},
	{path: "github.com/vbauerster/mpb/v8", room: "cmd/internal/cli"},
	{path: "github.com/dustin/go-humanize", room: "cmd/internal/cli"},
	{path: "github.com/goccy/go-yaml", room: "cmd/internal/cli"},
	{path: "github.com/HdrHistogram/hdrhistogram-go", room: "cmd/internal/cli", also: []string{"cmd/internal/bench"}},
	{path: "github.com/mattn/go-isatty", room: "cmd/internal/cli"},
	{path: "github.com/google/go-cmp", test: true, also: []string{"supervisor/broker/brokertest"}},
	{path: "go.uber.org/goleak", test: true},
	{path: "pgregory.net/rapid", test: true, also: []string{"supervisor/broker/brokertest"}},
}

// heavy is what no plugin binary may contain, by whatever way it would come in.
var heavy = []string{
	"github.com/hashicorp/go-plugin",
	"google.golang.org/grpc",
	"google.golang.org/protobuf",
	"github.com/shirou/gopsutil",
	"github.com/urfave/cli",
	"github.com/nats-io",
	module + "/supervisor",
	module + "/cmd",
}
