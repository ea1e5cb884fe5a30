package casefile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// decode reads one part of a case strictly. A key that is not known is no less than a
// parameter that is not obeyed: the case is not understood.
func decode(what string, raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		raw = json.RawMessage(`{}`)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return unsupported("%s: %s", what, strings.TrimPrefix(words(err), "json: "))
	}
	return nil
}

// moment is an instant of a case; null and a key that is left out are none.
type moment struct {
	at    fund.Instant
	given bool
}

func (m *moment) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil || text == "" {
		return fmt.Errorf("%.80s, expected an RFC 3339 time", raw)
	}
	at, err := fund.ParseInstant(text)
	if err != nil {
		return err
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err != nil || t.Nanosecond()%1_000 != 0 {
		return fmt.Errorf("%q, expected a time in microseconds", text)
	}
	m.at, m.given = at, true
	return nil
}

// ending is an instant at which something stops being valid. Tables with from and to write an
// open end as the last day of the calendar: one that no request can reach is none.
type ending struct{ moment }

func (e *ending) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil && t.Year() >= unreachable {
			return nil
		}
	}
	return e.moment.UnmarshalJSON(raw)
}

// unreachable is the first year that fund.ParseInstant refuses.
const unreachable = 2200

// entity is whom a row is about: a text, a whole number, which is the same as its digits as
// a text, or a list of those, which is a key of several columns.
type entity string

func (e *entity) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		*e = entity("=" + text) // the empty text is somebody too, and no list
		return nil
	case '[':
		var parts []entity
		if err := json.Unmarshal(raw, &parts); err != nil {
			return err
		}
		*e = "["
		for _, p := range parts {
			*e += entity(fmt.Sprintf("%q", string(p)))
		}
		return nil
	}
	v, err := view.ParseValue(view.Int, string(raw))
	if err != nil {
		return fmt.Errorf("entity %.80s, expected a text, a whole number, or a list of them", raw)
	}
	*e = entity("=" + v.String())
	return nil
}

// span is a number of seconds; null and a key that is left out are no bound.
type span struct{ length time.Duration }

func (s *span) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	v, err := view.ParseValue(view.Decimal, string(raw))
	if err != nil {
		return fmt.Errorf("%.80s, expected seconds", raw)
	}
	d, err := time.ParseDuration(v.Text + "s")
	if err != nil || d < 0 || d%time.Microsecond != 0 {
		return fmt.Errorf("%.80s, expected seconds from 0 on, in microseconds", raw)
	}
	s.length = d
	return nil
}

// label is what a row is called by: any text or number, which is given back as it is.
type label = json.RawMessage

// show writes a label for a reader.
func show(l label) string {
	var text string
	if json.Unmarshal(l, &text) == nil {
		return text
	}
	return string(l)
}
