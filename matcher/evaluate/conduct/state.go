package conduct

import (
	"encoding/json"
	"errors"
)

// ErrState says that bytes are not those of a State.
var ErrState = errors.New("conduct: not a state")

// wire is a State's form in bytes.
type wire struct {
	Scopes [Scopes]Figures `json:"scopes"`
	First  []Violation     `json:"first"`
	Lacked uint32          `json:"lacked"`
}

// MarshalJSON writes the state: the same state gives the same bytes, and reading them gives it back exactly.
func (s *State) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{Scopes: s.Scopes, First: s.First, Lacked: s.lacked})
}

// UnmarshalJSON reads what MarshalJSON wrote, and refuses counts that no rows give (ErrState).
func (s *State) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return errors.Join(ErrState, err)
	}
	if len(w.First) > MaxViolations || w.Lacked >= 1<<FlagColumn(Flags) {
		return ErrState
	}
	for i := range w.Scopes {
		if err := w.Scopes[i].check(); err != nil {
			return err
		}
	}
	*s = State{Scopes: w.Scopes, First: w.First, lacked: w.Lacked}
	return nil
}

func (f *Figures) check() error {
	if f.Rows < 0 || f.Unknown < 0 || !f.Products.check() || !f.Issuers.check() {
		return ErrState
	}
	left := f.Violations.Yes
	for _, n := range f.Kinds {
		if n < 0 || n > left {
			return ErrState
		}
		left -= n
	}
	if left != 0 {
		return ErrState
	}
	if err := f.Violations.Check(); err != nil {
		return errors.Join(ErrState, err)
	}
	for i := range f.Flags {
		if err := f.Flags[i].Check(); err != nil {
			return errors.Join(ErrState, err)
		}
	}
	return nil
}
