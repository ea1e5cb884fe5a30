package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far a job is, with its rate and, when the end is known, the time
// left. It is silent unless stderr is a terminal and --quiet is off.
type progress struct{ bar *progressbar.ProgressBar }

// startProgress begins a bar; a total of -1 is an end that nobody knows.
func (p *program) startProgress(what, unit string, total int64, opts ...progressbar.Option) *progress {
	if p.quiet || !p.terminal {
		return &progress{}
	}
	return &progress{progressbar.NewOptions64(total, append([]progressbar.Option{
		progressbar.OptionSetWriter(p.stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetItsString(unit),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetWidth(24),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionClearOnFinish(),
	}, opts...)...)}
}

// startBytes begins a bar that counts bytes.
func (p *program) startBytes(what string, total int64) *progress {
	return p.startProgress(what, "B", total, progressbar.OptionShowBytes(true))
}

// set says how much is done. Errors of drawing are nobody's concern.
func (b *progress) set(done int64) {
	if b.bar != nil {
		_ = b.bar.Set64(done)
	}
}

// rename says what is being done now, and how much there is of it.
func (b *progress) rename(what string, total int64) {
	if b.bar != nil {
		b.bar.Describe(what)
		b.bar.ChangeMax64(total)
	}
}

// end takes the bar away.
func (b *progress) end() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}
