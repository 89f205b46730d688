package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
)

// entry is one task on its way to the server, or why it does not get there.
type entry struct {
	place   string // "line 3", "argument 1"; empty where there is only one
	id      string
	task    string
	request *broodv1.SubmitRequest
	err     error
}

// feed puts all that is to be submitted into a batcher. It ends early when ctx does.
func (o *submitOptions) feed(ctx context.Context, args []string, b *batcher) error {
	switch {
	case o.givenPayload:
		payload := []byte(o.payload)
		if o.payloadFile != "" {
			var err error
			if payload, err = readPayload(o.payloadFile, o.maxPayload); err != nil {
				return usageErrorf("--payload-file: %s", strings.TrimPrefix(err.Error(), "payload_file: "))
			}
		}
		b.add(o.entry("", o.submission(payload), nil))
		return nil
	case len(args) > 0:
		for i, arg := range args {
			payload, err := plainPayload([]byte(arg))
			if !b.add(o.entry(fmt.Sprintf("argument %d", i+1), o.submission(payload), err)) {
				break
			}
		}
		return nil
	}
	return o.feedLines(ctx, b)
}

func (o *submitOptions) submission(payload []byte) client.Submission {
	t := o.defaults
	t.Payload = payload
	return o.more.submission(t)
}

func (o *submitOptions) feedLines(ctx context.Context, b *batcher) error {
	file, err := o.open()
	if err != nil {
		return err
	}
	if file != o.std.In {
		defer file.Close()
	}
	blocks := newBlocks(file)
	defer blocks.halt()
	defer context.AfterFunc(ctx, blocks.halt)()
	reader := &lineReader{next: blocks.next, max: o.maxPayload/3*4 + 256<<10}
	for {
		l, err := reader.read()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errHalted):
			return nil
		case err != nil:
			return cannotRunf("input: %v", err)
		case len(bytes.TrimSpace(l.text)) == 0 && !l.tooLong():
			continue
		}
		if !b.add(o.lineEntry(l)) {
			return nil
		}
	}
}

func (o *submitOptions) lineEntry(l line) entry {
	place := fmt.Sprintf("line %d", l.number)
	if l.tooLong() {
		err := fmt.Errorf("%d bytes long, too long for a payload of at most %d bytes; it was skipped", l.size, o.maxPayload)
		return o.entry(place, client.Submission{Task: task.Task{ID: idWithin(l.text)}}, err)
	}
	s, err := parseSubmitLine(bytes.Clone(l.text), o.defaults, o.more, o.maxPayload)
	return o.entry(place, s, err)
}

// entry gives a task its id and looks at it as the server will.
func (o *submitOptions) entry(place string, s client.Submission, err error) entry {
	if err == nil {
		err = s.Task.Validate(o.maxPayload)
	}
	if err == nil && s.ID == "" {
		s.ID = client.NewID()
	}
	e := entry{place: place, id: s.ID, task: s.Name, err: err}
	if err == nil {
		e.request = s.Request()
	}
	return e
}
