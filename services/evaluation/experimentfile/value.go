package experimentfile

import (
	"math"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
)

// form is what a format says of a value.
type form uint8

const (
	nothing form = iota // absent, null, an empty cell
	cell                // text that may be a number
	text                // text that is not
	digits              // a number, as text
	number              // a number
)

// field is a value as it stands in the file.
type field struct {
	form   form
	text   string
	number float64
}

// shown is the value for an error.
func (f *field) shown() string {
	if f.form == number {
		return strconv.FormatFloat(f.number, 'g', -1, 64)
	}
	return f.text
}

// asText reads a text; nothing is "".
func (f *field) asText() (s, want string) {
	if f.form == digits || f.form == number {
		return "", "text"
	}
	return f.text, ""
}

// asNumber reads a finite number; nothing is NaN.
func (f *field) asNumber() (v float64, want string) {
	const expected = "a finite decimal number"
	switch f.form {
	case nothing:
		return math.NaN(), ""
	case text:
		return 0, expected + ", not text"
	case number:
		v = f.number
	default:
		// What Go takes besides (0x1p-2, 1_000, inf, NaN) is more likely a slip.
		if strings.Trim(f.text, "0123456789+-.eE") != "" {
			return 0, expected
		}
		var err error
		if v, err = strconv.ParseFloat(f.text, 64); err != nil {
			return 0, expected
		}
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, expected + ", or nothing where it is not known"
	}
	return v, ""
}

// fill turns the fields of a row, by wanted.names, into a customer.
func (r *rowReader) fill(c *experiments.Customer, fields []field) error {
	bad := func(column string, f *field, want string) error {
		return &experiments.RowError{At: c.At, Column: column, Value: experiments.Clip(f.shown()), Want: want}
	}
	for i, to := range []*string{&c.ID, &c.Row.Arm} {
		value, want := fields[i].asText()
		if want != "" {
			return bad(r.wanted.names[i], &fields[i], want)
		}
		*to = value
	}
	if err := fund.CheckID(c.ID); err != nil {
		return bad(ColumnCustomer, &fields[0], expectedID)
	}
	c.Row.Metrics, c.Row.Pre, c.Row.Segments = c.Row.Metrics[:0], c.Row.Pre[:0], c.Row.Segments[:0]
	for _, part := range []struct {
		from []int
		to   *[]float64
	}{{r.metrics, &c.Row.Metrics}, {r.pre, &c.Row.Pre}} {
		for _, i := range part.from {
			v := math.NaN()
			if i >= 0 {
				var want string
				if v, want = fields[i].asNumber(); want != "" {
					return bad(r.wanted.names[i], &fields[i], want)
				}
			}
			*part.to = append(*part.to, v)
		}
	}
	for _, i := range r.segments {
		value, want := fields[i].asText()
		if want != "" {
			return bad(r.wanted.names[i], &fields[i], want)
		}
		c.Row.Segments = append(c.Row.Segments, value)
	}
	return nil
}

const expectedID = "an id of 1 to 64 letters, digits and . _ -, beginning with a letter or digit"
