package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// lastWords is how long a second signal waits for results that are on their way
// out. A blocked output must not keep the program alive.
const lastWords = 500 * time.Millisecond

// runner carries out one `brood run`.
type runner struct {
	opts   *options
	errOut io.Writer
	files  *files
	keep   int64 // bytes of the output that --resume keeps
	intake *intake
	tally  *tally // stream's until it has ended
	bar    *progress
	out    *sink
	dead   *sink // nil without --dead-letter
}

func newRunner(o *options, std Streams, work plan, bar *progress) (*runner, error) {
	f, err := openFiles(o, len(work.args) > 0, std)
	if err != nil {
		return nil, err
	}
	r := &runner{opts: o, errOut: bar, files: f, bar: bar}
	done := make(finished)
	if o.resume {
		if done, r.keep, err = readFinished(f.output); err != nil {
			return nil, usageErrorf("%v", err)
		}
	}
	r.intake = &intake{
		args: work.args, plain: work.plain, defTask: o.task, max: o.maxPayload,
		done: done.has, seen: newSeen(),
	}
	return r, nil
}

// run starts the workers, streams the tasks through them and returns the exit code
// as an error.
func (r *runner) run(config supervisor.Config, sig *signals) error {
	s, err := supervisor.New(config)
	if err != nil {
		return usageErrorf("%v", err)
	}
	// Nothing is left behind, whichever way this function ends.
	defer s.Close()
	if err := r.begin(s, sig); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	now, kill := context.WithCancel(context.Background())
	defer kill()
	ended := make(chan supervisor.Snapshot, 1)
	go func() { ended <- r.stream(ctx, now, s) }()

	c := conductor{runner: r, supervisor: s, stop: stop, kill: kill, signals: sig, ended: ended}
	return c.conduct()
}

// begin waits for the first worker and makes the outputs ready.
func (r *runner) begin(s *supervisor.Supervisor, sig *signals) error {
	if err := s.Start(); err != nil {
		return cannotRunf("%v", err)
	}
	ctx, cancel := sig.cancelling(context.Background())
	err := s.WaitReady(ctx)
	interrupted := ctx.Err() != nil
	cancel()
	if interrupted {
		return &exitError{exitInterrupted, "interrupted before the first worker was ready"}
	}
	if err != nil {
		return cannotRunf("%v", err)
	}
	if err := r.files.prepare(r.keep); err != nil {
		return err
	}
	r.out = newSink("output", r.files.output)
	if r.files.deadLetter != nil {
		r.dead = newSink("dead letters", r.files.deadLetter)
	}
	if r.files.input != nil {
		r.intake.blocks = newBlocks(r.files.input)
	}
	r.tally = newTally()
	return nil
}

// stream passes all tasks through and writes their results. It ends when each
// task has been answered and the workers have stopped; now ends it early.
func (r *runner) stream(ctx, now context.Context, s *supervisor.Supervisor) supervisor.Snapshot {
	options := supervisor.MapOptions{Ordered: r.opts.ordered, DrainInput: true}
	for result := range s.Map(ctx, r.intake.tasks, options) {
		r.handle(&result)
	}
	// Restarts and peaks are of the run, not of its end.
	snap := s.Snapshot()
	if err := s.Stop(now); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(r.errOut, "brood: stop:", err)
	}
	return snap
}

func (r *runner) handle(result *task.Result) {
	o := result.Task.Tag.(*origin)
	// The supervisor may reject a task too, and does not know the line.
	if result.Status == task.Rejected && result.Err != nil {
		result.Err = o.locate(result.Err)
	}
	r.tally.add(result)
	r.out.add(func(dst []byte) []byte { return appendResult(dst, result) })
	if r.dead != nil && isDead(result.Status) {
		r.dead.add(func(dst []byte) []byte { return appendDeadLetter(dst, result) })
	}
	r.bar.update(int64(r.tally.total), int64(r.tally.failed()), r.intake.read.Load())
}

// finish closes the outputs and says what happened. interrupted is whether a
// signal asked for the end.
func (r *runner) finish(snap supervisor.Snapshot, interrupted bool) error {
	outErr := r.out.close()
	var deadErr error
	if r.dead != nil {
		deadErr = r.dead.close()
	}
	inErr := r.intake.err()
	_ = r.files.close() // it was only read, and read errors have been reported
	r.bar.stop()
	r.tally.summary(r.errOut, r.intake.skipped.Load(), snap)
	switch {
	case outErr != nil:
		return cannotRunf("%s", explainWrite(outErr))
	case deadErr != nil:
		return cannotRunf("%s", explainWrite(deadErr))
	case interrupted:
		return exitCode(exitInterrupted)
	case inErr != nil:
		return cannotRunf("input: %v", inErr)
	case r.tally.failed() > 0:
		return exitCode(exitIncomplete)
	}
	return nil
}

func explainWrite(err error) string {
	text := err.Error()
	if errors.Is(err, os.ErrClosed) {
		return text
	}
	return text + "; the run was stopped, results after that are lost"
}
