package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// Limits of a target.
const (
	MaxTargetBytes = 16 << 20
	MaxCells       = 1 << 18 // products times positions: each has sums of its own
)

// within is how far from 1 the probabilities of a position may add up to.
const within = 1e-9

// Target is a policy that shows products with probabilities that depend on the position alone.
type Target struct {
	codes       []string  // ascending, bytewise
	probability []float64 // of each code its positions
	positions   int
	places      map[string]int32
}

// TargetError is what is wrong with a target.
type TargetError struct {
	Code     string // of the product; "" where it is not about one
	Position int    // from 1; 0 where it is not about one
	Value    string
	Want     string
}

func (e *TargetError) Error() string {
	at := "target policy"
	if e.Code != "" {
		at += ", product " + e.Code
	}
	if e.Position > 0 {
		at += ", position " + strconv.Itoa(e.Position)
	}
	return fmt.Sprintf("%s: %s, expected %s", at, e.Value, e.Want)
}

// ParseTarget reads {"probabilities": {"CODE": [p at position 1, p at position 2, ...]}}. It is strict: every product has the
// same number of positions, every probability is in [0, 1], and those of a position add up to 1 within 1e-9. An error
// is a *TargetError.
func ParseTarget(text []byte) (*Target, error) {
	if len(text) > MaxTargetBytes {
		return nil, &TargetError{Value: fmt.Sprintf("%d bytes", len(text)), Want: fmt.Sprintf("at most %d", MaxTargetBytes)}
	}
	p := targetParser{dec: json.NewDecoder(bytes.NewReader(text)), rows: map[string][]float64{}}
	p.dec.UseNumber()
	if err := p.document(); err != nil {
		var wrong *TargetError
		if errors.As(err, &wrong) {
			return nil, wrong
		}
		return nil, &TargetError{Value: fmt.Sprintf("%v near byte %d", err, p.dec.InputOffset()), Want: `{"probabilities": {"CODE": [p, ...]}}`}
	}
	return newTarget(p.rows)
}

// targetParser goes token by token, since encoding/json takes a key that stands twice.
type targetParser struct {
	dec  *json.Decoder
	rows map[string][]float64
}

func (p *targetParser) document() error {
	if err := p.want(json.Delim('{')); err != nil {
		return err
	}
	if err := p.want("probabilities"); err != nil {
		return err
	}
	if err := p.want(json.Delim('{')); err != nil {
		return err
	}
	for p.dec.More() {
		if err := p.product(); err != nil {
			return err
		}
	}
	for range 2 {
		if err := p.want(json.Delim('}')); err != nil {
			return err
		}
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return &TargetError{Value: fmt.Sprintf("more behind its end, at byte %d", p.dec.InputOffset()), Want: "nothing"}
	}
	return nil
}

// want reads a token that has to be there.
func (p *targetParser) want(token json.Token) error {
	got, err := p.dec.Token()
	if err != nil {
		return err
	}
	if got != token {
		return &TargetError{Value: fmt.Sprintf("%q at byte %d", fmt.Sprint(got), p.dec.InputOffset()), Want: fmt.Sprintf("%q", fmt.Sprint(token))}
	}
	return nil
}

func (p *targetParser) product() error {
	token, err := p.dec.Token()
	if err != nil {
		return err
	}
	code, _ := token.(string)
	if !isCode(code) {
		return &TargetError{Value: fmt.Sprintf("product code %.80q", code), Want: "1 to 64 letters, digits, dots, hyphens and underscores"}
	}
	if _, twice := p.rows[code]; twice {
		return &TargetError{Code: code, Value: "stands twice", Want: "each product once"}
	}
	if err := p.want(json.Delim('[')); err != nil {
		return err
	}
	row := []float64{}
	for p.dec.More() {
		v, err := p.probability(code, len(row)+1)
		if err != nil {
			return err
		}
		row = append(row, v)
	}
	p.rows[code] = row
	return p.want(json.Delim(']'))
}

func (p *targetParser) probability(code string, position int) (float64, error) {
	token, err := p.dec.Token()
	if err != nil {
		return 0, err
	}
	number, ok := token.(json.Number)
	v, err := number.Float64()
	if !ok || err != nil || !(v >= 0 && v <= 1) {
		return 0, &TargetError{Code: code, Position: position, Value: fmt.Sprintf("%.40v", token), Want: "a probability from 0 to 1"}
	}
	return v + 0, nil // -0 is 0
}

// isCode is the contract's form of ids and codes.
func isCode(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 64
}

func newTarget(rows map[string][]float64) (*Target, error) {
	t := &Target{places: make(map[string]int32, len(rows))}
	for code := range rows {
		t.codes = append(t.codes, code)
	}
	slices.Sort(t.codes)
	if len(t.codes) == 0 {
		return nil, &TargetError{Value: "no product", Want: "at least one"}
	}
	t.positions = len(rows[t.codes[0]])
	if t.positions == 0 {
		return nil, &TargetError{Code: t.codes[0], Value: "no positions", Want: "a probability for each"}
	}
	if cells := len(t.codes) * t.positions; cells > MaxCells {
		return nil, &TargetError{Value: fmt.Sprintf("%d products at %d positions", len(t.codes), t.positions), Want: fmt.Sprintf("at most %d of both multiplied", MaxCells)}
	}
	sums := make([]sum, t.positions)
	for place, code := range t.codes {
		row := rows[code]
		if len(row) != t.positions {
			return nil, &TargetError{Code: code, Value: fmt.Sprintf("%d positions", len(row)), Want: fmt.Sprintf("%d as product %s has", t.positions, t.codes[0])}
		}
		t.places[code] = int32(place)
		t.probability = append(t.probability, row...)
		for k, v := range row {
			sums[k] = sums[k].add(v)
		}
	}
	for k, s := range sums {
		if math.Abs(s.add(-1).hi) > within {
			return nil, &TargetError{Position: k + 1, Value: fmt.Sprintf("probabilities add up to %v", s.hi), Want: "1 within 1e-9"}
		}
	}
	return t, nil
}

// Codes are the products, ascending. They are only read.
func (t *Target) Codes() []string { return t.codes }

// Positions is how many it has probabilities for, from 1.
func (t *Target) Positions() int { return t.positions }

// Probability of a product at a position from 1: 0 for a product that it does not name, NaN at a position that it does not
// have.
func (t *Target) Probability(code string, position int) float64 {
	if position < 1 || position > t.positions {
		return math.NaN()
	}
	place, there := t.places[code]
	if !there {
		return 0
	}
	return t.probability[int(place)*t.positions+position-1]
}

// MarshalJSON writes what ParseTarget reads, products ascending: the same target, the same bytes.
func (t *Target) MarshalJSON() ([]byte, error) {
	out := []byte(`{"probabilities":{`)
	for place, code := range t.codes {
		if place > 0 {
			out = append(out, ',')
		}
		out = append(strconv.AppendQuote(out, code), ':')
		out = appendFloats(out, t.probability[place*t.positions:][:t.positions])
	}
	return append(out, "}}"...), nil
}

// UnmarshalJSON is ParseTarget.
func (t *Target) UnmarshalJSON(text []byte) error {
	parsed, err := ParseTarget(text)
	if err != nil {
		return err
	}
	*t = *parsed
	return nil
}
