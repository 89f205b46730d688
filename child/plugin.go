package child

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/brood-run/brood/ipc/wire"
)

// Handler runs one attempt at a task. The payload is its own to keep or change;
// what it returns must not change afterwards.
type Handler func(ctx context.Context, payload []byte) ([]byte, error)

// Plugin is a set of handlers and hooks.
type Plugin struct {
	name     string
	version  string
	crash    bool
	template bool
	handlers map[string]Handler
	start    []func(context.Context) error
	stop     []func(context.Context)
}

// Option changes a Plugin.
type Option func(*Plugin)

// Version states the plugin's own version, for people to read.
func Version(v string) Option { return func(p *Plugin) { p.version = v } }

// DieOnPanic lets a handler's panic end the worker the way Go programs crash. By
// default it fails the attempt alone.
func DieOnPanic() Option { return func(p *Plugin) { p.crash = true } }

// Template states that the plugin takes command-line arguments as a template which
// each task fills in, as xargs does.
func Template() Option { return func(p *Plugin) { p.template = true } }

// New returns a plugin of that name without handlers.
func New(name string, opts ...Option) *Plugin {
	p := &Plugin{name: name, handlers: make(map[string]Handler)}
	for _, o := range opts {
		o(p)
	}
	return p
}

// Handle registers the handler of a task. It panics if the name is empty, too
// long or taken, or h is nil: the program is wrong.
func (p *Plugin) Handle(task string, h Handler) {
	switch {
	case task == "":
		panic("child: Handle with an empty task name")
	case len(task) > wire.MaxName:
		panic(fmt.Sprintf("child: Handle with a task name of %d bytes, the limit is %d", len(task), wire.MaxName))
	case h == nil:
		panic(fmt.Sprintf("child: Handle %q with a nil handler", task))
	case p.handlers[task] != nil:
		panic(fmt.Sprintf("child: Handle %q twice", task))
	}
	p.handlers[task] = h
}

// OnStart adds a hook that runs in each worker before its first task; hooks run in
// the order they were added. An error keeps the worker from serving.
func (p *Plugin) OnStart(hook func(ctx context.Context) error) { p.start = append(p.start, hook) }

// OnStop adds a hook that runs in a worker that was asked to leave, after its last
// task, the last added first. A worker that is killed, or whose supervisor is
// gone, runs none.
func (p *Plugin) OnStop(hook func(ctx context.Context)) { p.stop = append(p.stop, hook) }

// tasks returns the names served, sorted.
func (p *Plugin) tasks() []string { return slices.Sorted(maps.Keys(p.handlers)) }

// sole returns the only handler, nil if there are none or several.
func (p *Plugin) sole() Handler {
	if names := p.tasks(); len(names) == 1 {
		return p.handlers[names[0]]
	}
	return nil
}
