package cli

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress draws a bar on stderr, if one is wanted, with log lines above it.
type progress struct {
	out       io.Writer
	container *mpb.Progress
	bar       *mpb.Bar

	done, failed, read atomic.Int64
	drawn              time.Time // when update last moved the bar
}

// redraw is the least time between two moves of the bar, which is redrawn no faster.
const redraw = 100 * time.Millisecond

// wantsProgress decides what auto means: results on the same terminal and a bar
// would tear each other apart.
func wantsProgress(when string, std Streams, toStdout bool) bool {
	switch when {
	case "on":
		return true
	case "off":
		return false
	}
	return isTerminal(std.Err) && !(toStdout && isTerminal(std.Out))
}

func isTerminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }

func newProgress(on bool, w io.Writer) *progress {
	p := &progress{out: w}
	if !on {
		return p
	}
	p.container = mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh())
	p.bar = p.container.AddBar(0,
		mpb.PrependDecorators(decor.Any(p.counts)),
		mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace), decor.Elapsed(decor.ET_STYLE_GO, decor.WCSyncSpace)),
	)
	return p
}

func (p *progress) counts(s decor.Statistics) string {
	text := fmt.Sprintf("%d of %d done", s.Current, s.Total)
	if n := p.failed.Load(); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	return text + " "
}

// update says how far the run is. Only stream calls it.
func (p *progress) update(done, failed, read int64) {
	if p.bar == nil {
		return
	}
	p.done.Store(done)
	p.failed.Store(failed)
	p.read.Store(read)
	if now := time.Now(); now.Sub(p.drawn) >= redraw {
		p.drawn = now
		p.move()
	}
}

func (p *progress) move() {
	p.bar.SetTotal(p.read.Load(), false)
	p.bar.SetCurrent(p.done.Load())
}

// Write puts log lines above the bar, or where there is no bar straight to the end.
func (p *progress) Write(line []byte) (int, error) {
	safe := printable(line)
	if p.container != nil {
		if _, err := p.container.Write(safe); err == nil {
			return len(line), nil
		}
	}
	if _, err := p.out.Write(safe); err != nil {
		return 0, err
	}
	return len(line), nil
}

// stop leaves the bar as it is and gives the terminal back.
func (p *progress) stop() {
	if p.container == nil {
		return
	}
	p.move()
	p.bar.Abort(false)
	p.container.Wait()
}
