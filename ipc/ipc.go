package ipc

// Version is the wire version this tree speaks. It is negotiated by the
// handshake line: a supervisor offers every version it knows, a plugin picks one.
const Version = 1

// Protocol is the name a plugin puts into the handshake line's protocol field.
const Protocol = "brood"

// The magic cookie a supervisor puts into a worker's environment. It is not a
// secret: it tells a plugin that it was started by a supervisor rather than
// typed at a prompt.
const (
	CookieKey   = "BROOD_PLUGIN_COOKIE"
	CookieValue = "6c0f6d2a-brood-worker-2f1e7b9d4c55"
)

// Environment variables a supervisor sets for its workers.
const (
	// EnvVersions lists the offered wire versions, separated by commas.
	EnvVersions = "PLUGIN_PROTOCOL_VERSIONS"
	// EnvWorker is the worker's name, unique within its supervisor.
	EnvWorker = "BROOD_WORKER"
	// EnvSupervisor is the supervisor's pid as the worker's getppid shows it; a
	// worker whose parent is another process leaves at once. Unset or 0 skips
	// the check (in a PID namespace a parent is not visible).
	EnvSupervisor = "BROOD_SUPERVISOR"
	// EnvTree marks every process that descends from one worker.
	EnvTree = "BROOD_TREE"
)

// File descriptors a worker inherits besides 0 (/dev/null), 1 and 2 (captured).
const (
	FDRequests   = 3 // frames from the supervisor; its end of file means "leave now"
	FDResponses  = 4 // frames to the supervisor
	FDScoreboard = 5 // shared page, present when Hello says so
)

// Type says what a frame is.
type Type uint8

// Frame types. A type that is not in this list is skipped when its frame has
// FlagIgnorable and is a protocol error otherwise.
const (
	TypeHello    Type = 1  // to the worker: JSON Hello, the first frame
	TypeReady    Type = 2  // from the worker: JSON Ready, its first frame
	TypeExecute  Type = 3  // to the worker: run a task
	TypeResult   Type = 4  // from the worker: how that attempt ended
	TypeCancel   Type = 5  // to the worker: JSON Cancel, stop a task
	TypeProgress Type = 6  // from the worker: JSON Progress
	TypeRecall   Type = 7  // to the worker: give back what has not started
	TypeRecalled Type = 8  // from the worker: the ids given back
	TypeBeat     Type = 9  // from the worker: JSON Beat, the heartbeat
	TypeDrain    Type = 10 // to the worker: finish what you have, then leave
	TypeRecycle  Type = 11 // from the worker: JSON Recycle, please replace me
)

// FlagIgnorable marks a frame that a receiver may skip if it does not know its type.
const FlagIgnorable uint8 = 1

// Outcome says how a handler ended.
type Outcome uint8

// Outcomes of an attempt as the worker reports them.
const (
	OutcomeCompleted  Outcome = 0 // payload is the result
	OutcomeError      Outcome = 1 // the handler returned an error
	OutcomePermanent  Outcome = 2 // the same, and no retry can help
	OutcomeRetryAfter Outcome = 3 // the same, and the handler chose the delay
	OutcomePanic      Outcome = 4 // the handler panicked; stack says where
	OutcomeCancelled  Outcome = 5 // the handler gave up because it was cancelled
	OutcomeUnstarted  Outcome = 6 // cancelled before its handler was entered
	OutcomeUnknown    Outcome = 7 // the plugin has no handler of that name
)

// Hello is the first frame to a worker.
type Hello struct {
	Worker      string `json:"worker"`       // the worker's name
	Slots       int    `json:"slots"`        // handlers to run at once, at least 1
	MaxFrame    int    `json:"max_frame"`    // largest frame body either side accepts, in bytes
	HeartbeatMS int    `json:"heartbeat_ms"` // interval between beats
	Scoreboard  bool   `json:"scoreboard"`   // FDScoreboard is a shared page
	BoardBeats  bool   `json:"board_beats"`  // beats may be counted there instead of being sent
	LogLevel    string `json:"log_level"`    // lowest level worth writing: trace, debug, info, warn, error
}

// Ready is the first frame from a worker: it has started and takes tasks.
type Ready struct {
	Plugin  string   `json:"plugin"`            // the plugin's name
	Version string   `json:"version,omitempty"` // the plugin's own version
	SDK     string   `json:"sdk"`               // for example "brood-go/1.0"
	Wire    int      `json:"wire"`              // the wire version spoken
	Tasks   []string `json:"tasks"`             // handler names, sorted
	// Scoreboard says that the worker keeps the page it was offered; without it the
	// supervisor takes the oldest unanswered tasks for started.
	Scoreboard bool `json:"scoreboard,omitempty"`
	// StdoutStart and StderrStart are the bytes that the worker has printed so far, the
	// handshake line among them, if it keeps the scoreboard: what follows is of its tasks.
	StdoutStart uint64 `json:"stdout_start,omitempty"`
	StderrStart uint64 `json:"stderr_start,omitempty"`
	// Template says that the plugin takes command-line arguments as a template
	// which each task fills in (as xargs does), so that a task may be one plain line.
	Template bool   `json:"template,omitempty"`
	Error    string `json:"error,omitempty"` // the start hook's error: the worker will not serve
}

// Cause says why a task is cancelled.
type Cause string

// Causes of a Cancel frame.
const (
	CauseSoftTimeout Cause = "soft_timeout"
	CauseCancelled   Cause = "cancelled"
	CauseShutdown    Cause = "shutdown"
)

// Cancel is the body of a Cancel frame; the frame's id names the task.
type Cancel struct {
	Cause Cause `json:"cause"`
}

// Progress is the body of a Progress frame; the frame's id names the task.
type Progress struct {
	Fraction float64 `json:"fraction"` // 0 to 1
	Message  string  `json:"message,omitempty"`
}

// Beat is the body of a heartbeat.
type Beat struct {
	Running    []uint64 `json:"running,omitempty"` // ids of the tasks whose handlers run
	Queued     int      `json:"queued"`            // tasks read from the pipe and not started
	HeapBytes  uint64   `json:"heap_bytes,omitempty"`
	Goroutines int      `json:"goroutines,omitempty"`
}

// Recycle is the body of a worker's request to be replaced.
type Recycle struct {
	Reason string `json:"reason,omitempty"`
}
