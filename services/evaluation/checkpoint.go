package evaluation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// CheckpointSchema names the form of a checkpoint. It is read by the version of the program that wrote it alone.
const CheckpointSchema = "fundmatch.evaluation-checkpoint/v1"

// Checkpoint lets a run that is killed go on: started again with the same settings over the same files it ends with the
// same bytes, since a checkpoint is taken between two blocks and holds every state exactly.
type Checkpoint struct {
	Found []byte                  // what an earlier run saved last; nil: nothing
	Save  func(data []byte) error // keeps it, whole or not at all
	Every time.Duration           // the least time between two; 0: after each block
	Now   func() time.Time

	last time.Time // when one was taken
}

// due reports whether a checkpoint is to be taken. The first is due after Every, not at once.
func (c *Checkpoint) due() bool {
	now := c.Now()
	if c.last.IsZero() {
		c.last = now
	}
	if now.Sub(c.last) < c.Every {
		return false
	}
	c.last = now
	return true
}

// checkpointForm is the body of a checkpoint.
type checkpointForm struct {
	Version  string          `json:"version"`
	Settings json.RawMessage `json:"settings"`
	Shard    *Shard          `json:"shard"`
	Files    []fileForm      `json:"files"` // all that the run reads
	Finished []resultForm    `json:"finished"`
	Whole    json.RawMessage `json:"whole,omitempty"` // of the finished files; a shard's have their own
	Running  runningForm     `json:"running"`
}

type fileForm struct {
	Name     string `json:"name"`
	Size     int64  `json:"size"`
	Identity string `json:"identity"`
}

// runningForm is the file behind the finished ones.
type runningForm struct {
	Position policylog.Position `json:"position"`
	Tally    tallyForm          `json:"tally"`
	Blocks   []digest           `json:"blocks"`
	State    json.RawMessage    `json:"state"`
}

func (f *fold) fileForms() []fileForm {
	all := f.log.Files()
	forms := make([]fileForm, len(f.files))
	for i, at := range f.files {
		forms[i] = fileForm(all[at])
	}
	return forms
}

// save keeps how far the fold is.
func (f *fold) save() error {
	form := checkpointForm{Version: f.config.Version, Settings: f.config.Settings, Shard: f.shard, Files: f.fileForms(), Finished: []resultForm{}}
	for i := range f.finished {
		r, err := formOfResult(&f.finished[i])
		if err != nil {
			return err
		}
		form.Finished = append(form.Finished, r)
	}
	var err error
	if f.whole != nil {
		if form.Whole, err = f.whole.encode(); err != nil {
			return err
		}
	}
	r := &f.running
	form.Running = runningForm{Position: f.from, Tally: formOf(&r.Tally), Blocks: []digest{}}
	for _, sum := range r.blocks {
		form.Running.Blocks = append(form.Running.Blocks, sum)
	}
	if form.Running.State, err = r.state.encode(); err != nil {
		return err
	}
	data, err := seal(CheckpointSchema, form)
	if err != nil {
		return err
	}
	return f.config.Checkpoint.Save(data)
}

// restore goes on from a checkpoint, where there is one. What it refuses wraps ErrCheckpoint.
func (f *fold) restore() error {
	c := f.config.Checkpoint
	if c == nil {
		return nil
	}
	for _, form := range f.fileForms() {
		if form.Identity == "" {
			return fmt.Errorf("%w: %s cannot be read again", ErrCheckpoint, form.Name)
		}
	}
	if c.Found == nil {
		return nil
	}
	var form checkpointForm
	err := unseal(CheckpointSchema, c.Found, &form)
	if err == nil {
		err = f.sameRun(&form)
	}
	if err == nil {
		err = f.goOn(&form)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return nil
}

// sameRun says what another run was made with.
func (f *fold) sameRun(form *checkpointForm) error {
	switch {
	case form.Version != f.config.Version:
		return fmt.Errorf("it was written by version %.80q of the program, this is %q", form.Version, f.config.Version)
	case !bytes.Equal(form.Settings, f.config.Settings):
		return errors.New("it was written with other options")
	case (form.Shard == nil) != (f.shard == nil), f.shard != nil && *form.Shard != *f.shard:
		return errors.New("it was written for another shard")
	}
	now := f.fileForms()
	for i := range min(len(now), len(form.Files)) {
		if was := form.Files[i]; was.Name != now[i].Name {
			return fmt.Errorf("it was written over other files: %.200q where there is %q now", was.Name, now[i].Name)
		} else if was != now[i] {
			return fmt.Errorf("%s was changed since it was written", was.Name)
		}
	}
	if len(now) != len(form.Files) {
		return fmt.Errorf("it was written over %d files, now there are %d", len(form.Files), len(now))
	}
	return nil
}

// goOn takes the states over.
func (f *fold) goOn(form *checkpointForm) (err error) {
	if len(form.Finished) > len(f.files) || len(form.Finished) == len(f.files) && form.Running.Position != (policylog.Position{}) {
		return errors.New("more files were finished than there are")
	}
	for i := range form.Finished {
		r, err := form.Finished[i].result(f.config.Parts, f.whole == nil)
		if err != nil {
			return err
		}
		f.finished = append(f.finished, r)
		f.rows += r.Rows
	}
	if f.whole != nil {
		if f.whole, err = decodeState(f.config.Parts, form.Whole); err != nil {
			return err
		}
	}
	r := &form.Running
	if f.running.Tally, err = r.Tally.tally(); err != nil {
		return err
	}
	if len(r.Blocks) != r.Position.Block || min(r.Position.Offset, r.Position.Row, r.Position.Line) < 0 {
		return errors.New("its position is not one that a run could be at")
	}
	for _, sum := range r.Blocks {
		f.running.blocks = append(f.running.blocks, sum)
	}
	if f.running.state, err = decodeState(f.config.Parts, r.State); err != nil {
		return err
	}
	f.rows += f.running.Rows
	f.next = place{file: len(f.finished), block: r.Position.Block}
	f.from = r.Position
	f.config.Checkpoint.last = f.config.Checkpoint.Now()
	return nil
}
