package modelfile

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// check refuses a manifest that says too little, too much, or what cannot be.
func (m *Manifest) check() error {
	if err := checkText("name", m.Name); err != nil {
		return err
	}
	if m.Version < 1 || m.Version > math.MaxInt32 {
		return refuse("version", m.Version, "1 to 2147483647")
	}
	if err := checkText("code", m.Code); err != nil {
		return err
	}
	for _, step := range []func() error{m.checkFeatures, m.Training.check, m.checkFigures, m.checkSections} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manifest) checkFeatures() error {
	if n := len(m.Features); n < 1 || n > MaxFeatures {
		return refuse("features", n, fmt.Sprintf("1 to %d", MaxFeatures))
	}
	seen := make(map[string]bool, len(m.Features))
	for i, f := range m.Features {
		place := fmt.Sprintf("features[%d]", i)
		if err := checkText(place+".name", f.Name); err != nil {
			return err
		}
		if err := checkText(place+".definition", f.Definition); err != nil {
			return err
		}
		if seen[f.Name] {
			return refuse(place+".name", f.Name, "each feature once")
		}
		seen[f.Name] = true
	}
	return nil
}

// check accepts a window of training, or none at all.
func (w *Window) check() error {
	if *w == (Window{}) {
		return nil
	}
	from, err := fund.ParseDate(w.From)
	if err != nil || from == 0 { // no text is no day
		return refuse("training.from", w.From, "a day such as 2024-01-31")
	}
	through, err := fund.ParseDate(w.Through)
	if err != nil || through < from {
		return refuse("training.through", w.Through, "a day that is not before "+w.From)
	}
	if w.Rows < 1 {
		return refuse("training.rows", w.Rows, "at least 1")
	}
	if !isHash(w.DataHash) {
		return refuse("training.dataHash", w.DataHash, "64 lower-case hex digits")
	}
	return nil
}

func (m *Manifest) checkFigures() error {
	if n := len(m.Validation); n > MaxFigures {
		return refuse("validation", n, fmt.Sprintf("at most %d", MaxFigures))
	}
	seen := make(map[string]bool, len(m.Validation))
	for i, f := range m.Validation {
		place := fmt.Sprintf("validation[%d]", i)
		if err := checkText(place+".name", f.Name); err != nil {
			return err
		}
		if seen[f.Name] {
			return refuse(place+".name", f.Name, "each figure once")
		}
		seen[f.Name] = true
		if err := f.check(place); err != nil {
			return err
		}
	}
	return nil
}

func (f *Figure) check(place string) error {
	if !finite(f.Value) {
		return refuse(place+".value", f.Value, "a finite number")
	}
	switch {
	case f.Low == nil && f.High == nil:
		return nil
	case f.Low == nil || f.High == nil:
		return refuse(place, f.Name, "both ends of an interval, or none")
	case !finite(*f.Low) || !finite(*f.High) || *f.Low > *f.High:
		return refuse(place, fmt.Sprintf("%v to %v", *f.Low, *f.High), "an interval of finite numbers")
	}
	return nil
}

// checkSections holds their order: known ones, each once, the model's own first.
func (m *Manifest) checkSections() error {
	known := sections()
	if len(m.Sections) == 0 || m.Sections[0].Name != SectionModel {
		return fmt.Errorf("%w: manifest: sections: %s is missing, expected it first", ErrModelFile, SectionModel)
	}
	last := -1
	for i, s := range m.Sections {
		place := fmt.Sprintf("sections[%d]", i)
		at := slices.Index(known[:], s.Name)
		switch {
		case at < 0:
			return refuse(place+".name", s.Name, fmt.Sprintf("one of %v: another could change what these mean", known))
		case at <= last:
			return refuse(place+".name", s.Name, fmt.Sprintf("each once, in the order %v", known))
		case s.Bytes < 1 || s.Bytes > MaxBytes || s.Name == SectionModel && s.Bytes > MaxModelBytes:
			return refuse(place+".bytes", s.Bytes, fmt.Sprintf("1 to %d, and of %s at most %d", MaxBytes, SectionModel, MaxModelBytes))
		case !isHash(s.SHA256):
			return refuse(place+".sha256", s.SHA256, "64 lower-case hex digits")
		}
		last = at
	}
	return nil
}

// checkText accepts what fits on a line and a screen.
func checkText(place, s string) error {
	if len(s) < 1 || len(s) > MaxNameBytes || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return refuse(place, s, fmt.Sprintf("1 to %d bytes of UTF-8 without control characters", MaxNameBytes))
	}
	return nil
}

func refuse(place string, value any, expected string) error {
	return fmt.Errorf("%w: manifest: %s: %.100q, expected %s", ErrModelFile, place, fmt.Sprint(value), expected)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// isHash accepts a SHA-256 in lower-case hex.
func isHash(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}
