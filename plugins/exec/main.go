package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/brood-run/brood/child"
)

// defaultOutputLimit is how many bytes are kept of each output stream.
const defaultOutputLimit = 1 << 20

func main() {
	s := &service{template: parseTemplate(os.Args[1:])}
	p := child.New("exec", child.Version("1.0"), child.Template())
	p.OnStart(s.start)
	p.OnStop(func(context.Context) { s.runner.close() })
	p.Handle("exec", s.exec)
	p.Serve()
}

// service is what the handler needs; the fields are set before it is first called.
type service struct {
	template template
	runner   *runner
}

func (s *service) start(context.Context) error {
	limit, err := outputLimit(os.Getenv("BROOD_EXEC_OUTPUT_LIMIT"))
	if err != nil {
		return err
	}
	s.runner, err = newRunner(limit)
	return err
}

// exec is the handler: payload in, command run, result out.
func (s *service) exec(ctx context.Context, payload []byte) ([]byte, error) {
	c, err := parseRequest(payload, s.template)
	if err != nil {
		return nil, child.Permanent(err)
	}
	c.taskID = child.TaskInfo(ctx).ID
	out, err := s.runner.run(ctx, c)
	if err != nil {
		return nil, err
	}
	if !out.state.Success() {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s was stopped (%s): %w", c.argv[0], out.ending(), context.Cause(ctx))
		}
		return nil, out.failure(c.argv[0])
	}
	return out.encode(c.argv)
}

// outputLimit reads the setting of BROOD_EXEC_OUTPUT_LIMIT.
func outputLimit(setting string) (int, error) {
	if setting == "" {
		return defaultOutputLimit, nil
	}
	n, err := strconv.Atoi(setting)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("BROOD_EXEC_OUTPUT_LIMIT is %q; it must be a number of bytes, for example 1048576", setting)
	}
	return n, nil
}
