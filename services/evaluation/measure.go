package evaluation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// Measure is one kind of figures over the rows of a log: a state that grows by blocks and by other states, never by
// rows kept. What it adds up it adds in the order in which it is told, so that the same blocks give the same bits.
type Measure interface {
	// Add takes the rows of a block, which is only lent.
	Add(b *policylog.Block) error
	// Merge takes what another state of the same Part holds, whose blocks come after its own.
	Merge(later Measure) error
	// MarshalJSON is the exact form of the state: reading it back gives the same bits, and the same state gives the
	// same bytes. It holds no NaN and no infinity.
	json.Marshaler
	// UnmarshalJSON reads that form into a new state. Partial files come from outside: what no blocks could have left
	// behind is an error.
	json.Unmarshaler
}

// Resetter is a Measure that can be emptied and keep its memory. A run then uses few of them again and again.
type Resetter interface {
	// Reset empties the state.
	Reset()
}

// Part is a kind of measure that a run takes.
type Part struct {
	Name string         // in partial files and checkpoints; different from that of every other part of the run
	New  func() Measure // an empty state
}

// State is what a run knows of some blocks: a measure of each part.
type State struct {
	parts    []Part
	measures []Measure
}

func newState(parts []Part) *State {
	s := &State{parts: parts, measures: make([]Measure, len(parts))}
	for i, p := range parts {
		s.measures[i] = p.New()
	}
	return s
}

// Of is the measure of a part; nil where the run has none of that name.
func (s *State) Of(name string) Measure {
	for i, p := range s.parts {
		if p.Name == name {
			return s.measures[i]
		}
	}
	return nil
}

func (s *State) add(b *policylog.Block) error {
	for i, m := range s.measures {
		if err := m.Add(b); err != nil {
			return fmt.Errorf("%s: %w", s.parts[i].Name, err)
		}
	}
	return nil
}

func (s *State) merge(later *State) error {
	for i, m := range s.measures {
		if err := m.Merge(later.measures[i]); err != nil {
			return fmt.Errorf("%s: %w", s.parts[i].Name, err)
		}
	}
	return nil
}

// reset empties the state; false: one of its measures cannot be.
func (s *State) reset() bool {
	for _, m := range s.measures {
		r, can := m.(Resetter)
		if !can {
			return false
		}
		r.Reset()
	}
	return true
}

// encode is the exact form: a member for each part, in their order.
func (s *State) encode() (json.RawMessage, error) {
	var out bytes.Buffer
	for i, m := range s.measures {
		name, err := json.Marshal(s.parts[i].Name)
		if err != nil {
			return nil, err
		}
		value, err := m.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("write the state of %s: %w", s.parts[i].Name, err)
		}
		out.WriteByte("{,"[min(i, 1)])
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	if len(s.measures) == 0 {
		out.WriteByte('{')
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// decodeState reads the exact form of the parts of a run: all of them and no other.
func decodeState(parts []Part, data json.RawMessage) (*State, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	s := newState(parts)
	for i, p := range parts {
		value, has := members[p.Name]
		if !has {
			return nil, fmt.Errorf("the state of %s is not there", p.Name)
		}
		if err := s.measures[i].UnmarshalJSON(value); err != nil {
			return nil, fmt.Errorf("the state of %s: %w", p.Name, err)
		}
	}
	if len(members) != len(parts) {
		return nil, errors.New("a state of more parts than were measured")
	}
	return s, nil
}
