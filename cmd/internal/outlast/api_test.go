package outlast

import "strconv"

// What the API says in JSON, as far as the tests read it.

type submission struct {
	ID      string   `json:"id,omitempty"`
	Task    string   `json:"task"`
	Payload work     `json:"payload"`
	Options *options `json:"options,omitempty"`
}

// work is the payload; see testdata/tally.
type work struct {
	MS        int `json:"ms,omitempty"`
	FailUntil int `json:"fail_until,omitempty"`
}

type options struct {
	Priority    int    `json:"priority,omitempty"`
	Delay       string `json:"delay,omitempty"`
	MaxAttempts int    `json:"maxAttempts,omitempty"`
	AtMostOnce  bool   `json:"atMostOnce,omitempty"`
	UniqueKey   string `json:"uniqueKey,omitempty"`
}

type batch struct {
	Tasks []submission `json:"tasks"`
}

type receipts struct {
	Results []receipt `json:"results"`
}

type receipt struct {
	ID    string `json:"id"`
	Error *fault `json:"error"`
}

type fault struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

type query struct {
	ID      string `json:"id"`
	Timeout string `json:"timeout,omitempty"`
}

type answer struct {
	Task task `json:"task"`
}

type task struct {
	ID       string  `json:"id"`
	State    string  `json:"state"`
	Result   *start  `json:"result"`
	Error    *fault  `json:"error"`
	Starts   int     `json:"starts"`
	Attempts []tried `json:"attempts"`
}

type tried struct {
	N       int    `json:"n"`
	Outcome string `json:"outcome"`
	Message string `json:"message"`
}

// over says that the task has its result.
func (t *task) over() bool {
	switch t.State {
	case "TASK_STATE_COMPLETED", "TASK_STATE_DEAD", "TASK_STATE_CANCELLED", "TASK_STATE_EXPIRED", "TASK_STATE_REJECTED":
		return true
	}
	return false
}

// start is a start of a handler, as the plugin has written it down.
type start struct {
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	Mark    string `json:"mark"`
	Worker  string `json:"worker"`
	At      int64  `json:"at"`
}

type pools struct {
	Pools []struct {
		Name      string `json:"name"`
		Queued    number `json:"queued"`
		Scheduled number `json:"scheduled"`
		Leased    number `json:"leased"`
		Dead      number `json:"dead"`
	} `json:"pools"`
}

// left is how many tasks have no result.
func (p *pools) left() (n int) {
	for _, p := range p.Pools {
		n += int(p.Queued + p.Scheduled + p.Leased)
	}
	return n
}

// number is a whole number of 64 bits, which is a string in this JSON.
type number int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *number) UnmarshalText(text []byte) error {
	v, err := strconv.ParseInt(string(text), 10, 64)
	*n = number(v)
	return err
}
