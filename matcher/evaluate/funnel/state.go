package funnel

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/share"
)

// ErrState says that bytes are not those of a State.
var ErrState = errors.New("funnel: not a state")

// wire is a State's form in bytes.
type wire struct {
	Rows       int64             `json:"rows"`
	Ways       [Steps]Way        `json:"ways"`
	Quits      share.Share       `json:"quits"`
	Any        Doubt             `json:"any"`
	None       share.Share       `json:"none"`
	Objections map[string]*Doubt `json:"objections,omitempty"`
	TooMany    bool              `json:"too_many,omitempty"`
	Lacked     uint32            `json:"lacked"`
}

// MarshalJSON writes the state: the same state gives the same bytes, and reading them gives it back exactly.
func (s *State) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{
		Rows: s.Rows, Ways: s.Ways, Quits: s.Quits, Any: s.Any, None: s.None,
		Objections: s.Objections, TooMany: s.TooMany, Lacked: s.lacked,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote, and refuses counts that no rows give (ErrState).
func (s *State) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return errors.Join(ErrState, err)
	}
	read := State{
		Rows: w.Rows, Ways: w.Ways, Quits: w.Quits, Any: w.Any, None: w.None,
		Objections: w.Objections, TooMany: w.TooMany, lacked: w.Lacked,
	}
	if err := read.check(); err != nil {
		return err
	}
	*s = read
	return nil
}

// check refuses what no rows give.
func (s *State) check() error {
	if s.Rows < 0 || s.lacked >= 1<<FlagColumn(Flags) || len(s.Objections) > MaxObjections || s.TooMany && len(s.Objections) > 0 {
		return ErrState
	}
	shares := []*share.Share{&s.Quits, &s.None}
	for i := range s.Ways {
		if s.Ways[i].Entered < 0 {
			return ErrState
		}
		shares = append(shares, &s.Ways[i].WentOn)
	}
	doubts := []*Doubt{&s.Any}
	for code, d := range s.Objections {
		if d == nil || !isCode(code) {
			return ErrState
		}
		doubts = append(doubts, d)
	}
	for _, d := range doubts {
		if d.Both < 0 || d.Both > min(d.Foreseen, d.Raised) {
			return ErrState
		}
		shares = append(shares, &d.Answered, &d.WentOn[0], &d.WentOn[1])
	}
	return checkAll(shares)
}

// isCode holds of what shown makes of a code.
func isCode(code string) bool {
	return code != "" && len(code) <= 3*maxCode && code == strings.ToValidUTF8(code, "")
}

func checkAll(shares []*share.Share) error {
	for _, s := range shares {
		if err := s.Check(); err != nil {
			return errors.Join(ErrState, err)
		}
	}
	return nil
}
