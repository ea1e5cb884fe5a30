package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far a job is, with its rate and, when the end is known, the time
// left. It is silent unless stderr is a terminal and --quiet is off.
type progress struct {
	begin func(what string, total int64) *progressbar.ProgressBar // nil: silent
	bar   *progressbar.ProgressBar
}

// startProgress begins a bar of so many units; a total of -1 is an end that nobody knows.
func (p *program) startProgress(what, unit string, total int64, opts ...progressbar.Option) *progress {
	if p.quiet || !p.terminal {
		return &progress{}
	}
	if unit != "" {
		opts = append(opts, progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit))
	}
	b := &progress{begin: func(what string, total int64) *progressbar.ProgressBar {
		return progressbar.NewOptions64(total, append([]progressbar.Option{
			progressbar.OptionSetWriter(p.stderr),
			progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetWidth(24),
			progressbar.OptionThrottle(100 * time.Millisecond),
			progressbar.OptionClearOnFinish(),
		}, opts...)...)
	}}
	b.bar = b.begin(what, total)
	return b
}

// startBytes begins a bar that counts bytes, and shows their rate as such.
func (p *program) startBytes(what string, total int64) *progress {
	return p.startProgress(what, "", total, progressbar.OptionShowBytes(true))
}

// set says how much is done. Errors of drawing are nobody's concern.
func (b *progress) set(done int64) {
	if b.bar != nil {
		_ = b.bar.Set64(done)
	}
}

// rename says what is being done now, and how much there is of it. A bar that reached its
// end shows nothing more, so the next part has one of its own.
func (b *progress) rename(what string, total int64) {
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = b.begin(what, total)
	}
}

// end takes the bar away.
func (b *progress) end() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}
