package conduct_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/conduct"
)

var none = math.NaN() //nolint:gochecknoglobals // what stands for "not known"

// row is a row of a table of cases.
type row struct {
	decision              string
	product, issuer       string
	level, grade          string
	confirmed, complained float64
}

// rowsOf lays rows out in columns. Each decision's rows stand together.
func rowsOf(rows []row) *conduct.Rows {
	out := &conduct.Rows{}
	text := func(of func(r row) string) *conduct.Text {
		t := &conduct.Text{}
		places := map[string]uint32{}
		for _, r := range rows {
			v := of(r)
			if _, there := places[v]; !there {
				places[v] = uint32(len(t.Names))
				t.Names = append(t.Names, v)
			}
			t.Values = append(t.Values, places[v])
		}
		return t
	}
	out.Product = text(func(r row) string { return r.product })
	out.Issuer = text(func(r row) string { return r.issuer })
	out.RiskLevel, out.RiskGrade = text(func(r row) string { return r.level }), text(func(r row) string { return r.grade })
	for i := range out.Flags {
		out.Flags[i] = make([]float64, len(rows))
		for j := range rows {
			out.Flags[i][j] = none
		}
	}
	for i, r := range rows {
		out.Position = append(out.Position, int32(i+1))
		if i == 0 || rows[i-1].decision != r.decision {
			out.IDs, out.Ends = append(out.IDs, []byte(r.decision)), append(out.Ends, 0)
		}
		out.Ends[len(out.Ends)-1] = int32(i + 1)
		out.Flags[conduct.Confirmed][i], out.Flags[conduct.Complained][i] = r.confirmed, r.complained
	}
	return out
}

func TestViolations(t *testing.T) {
	var s conduct.State
	s.Add(rowsOf([]row{
		{"d1", "A", "x", "C3", "R3", 1, 0},
		{"d1", "B", "x", "C3", "R4", 1, none}, // above
		{"d2", "A", "y", "", "R1", 0, 0},
		{"d2", "C", "y", "", "R2", none, 1},   // no level
		{"d2", "D", "", "C5", "", 0, 0},       // no grade
		{"d3", "E", "y", "C9", "R2", 0, 0},    // a level that is none
		{"d3", "E", "y", "C1", "R6", 0, none}, // a grade that is none
		{"d3", "E", "y", "C5", "R5", 1, 1},
	}))
	shown, bought := &s.Scopes[conduct.Shown], &s.Scopes[conduct.Bought]
	if shown.Kinds != [conduct.Kinds]int64{1, 2, 2} || shown.Violations.Yes != 5 || shown.Violations.No != 3 {
		t.Errorf("shown: kinds %v, violations %+v", shown.Kinds, shown.Violations)
	}
	if bought.Kinds != [conduct.Kinds]int64{1, 0, 0} || bought.Rows != 3 || bought.Unknown != 1 {
		t.Errorf("bought: kinds %v, rows %d, unknown %d", bought.Kinds, bought.Rows, bought.Unknown)
	}
	if c := shown.Flags[conduct.Complained]; c.Yes != 2 || c.No != 4 || c.Unknown != 2 {
		t.Errorf("complaints: %+v", c)
	}
	want := []conduct.Violation{
		{"d1", 2, "B", "C3", "R4", "ABOVE_LEVEL"},
		{"d2", 4, "C", "", "R2", "UNKNOWN_LEVEL"},
		{"d2", 5, "D", "C5", "", "UNGRADED"},
		{"d3", 6, "E", "C9", "R2", "UNKNOWN_LEVEL"},
		{"d3", 7, "E", "C1", "R6", "UNGRADED"},
	}
	if !reflect.DeepEqual(s.First, want) {
		t.Errorf("first: %v", s.First)
	}
}

// A column that is not there makes its figures unknown, not 0; one block without it is enough.
func TestLackedColumns(t *testing.T) {
	with := rowsOf([]row{{"d1", "A", "x", "C3", "R4", 1, 0}})
	without := rowsOf([]row{{"d2", "A", "x", "C3", "R4", 1, 0}})
	without.RiskLevel, without.Issuer, without.Flags[conduct.Complained] = nil, nil, nil
	var s, later conduct.State
	s.Add(with)
	if s.Lacks(conduct.ColumnRiskLevel) || s.Scopes[conduct.Shown].Violations.Yes != 1 {
		t.Errorf("before: %+v", s)
	}
	later.Add(without)
	s.Merge(&later)
	for column, lacked := range map[conduct.Column]bool{
		conduct.ColumnRiskLevel: true, conduct.ColumnRiskGrade: false, conduct.ColumnIssuer: true,
		conduct.FlagColumn(conduct.Complained): true, conduct.FlagColumn(conduct.Confirmed): false,
	} {
		if s.Lacks(column) != lacked {
			t.Errorf("column %d: lacked %v", column, !lacked)
		}
	}
}

func TestConcentration(t *testing.T) {
	var s conduct.State
	s.Add(rowsOf([]row{
		{"d1", "A", "x", "", "", 1, 0}, {"d1", "A", "y", "", "", 0, 0}, {"d1", "B", "", "", "", 1, 0}, {"d2", "C", "x", "", "", 0, 0},
	}))
	shown := &s.Scopes[conduct.Shown]
	if hhi, known := shown.Products.HHI(); !known || hhi != .25+.0625+.0625 {
		t.Errorf("products: %v", hhi)
	}
	if hhi, _ := shown.Issuers.HHI(); math.Abs(hhi-5./9) > 1e-15 || shown.Issuers.Unknown != 1 {
		t.Errorf("issuers: %v, %+v", hhi, shown.Issuers)
	}
	if got := fmt.Sprint(shown.Products.Largest(2)); got != "[{A 2} {B 1}]" {
		t.Errorf("largest: %v", got)
	}
	if _, known := (&conduct.Concentration{}).HHI(); known {
		t.Error("the concentration of nothing is known")
	}
}

// More codes than are told apart withhold the figure, in whatever order they come.
func TestTooManyCodes(t *testing.T) {
	part := func(from, to int) *conduct.State {
		r := &conduct.Rows{Product: &conduct.Text{}, Ends: []int32{int32(to - from)}, IDs: [][]byte{[]byte("d")}}
		for i := from; i < to; i++ {
			r.Product.Values, r.Product.Names = append(r.Product.Values, uint32(i-from)), append(r.Product.Names, fmt.Sprint("P", i))
			r.Position = append(r.Position, 1)
		}
		s := &conduct.State{}
		s.Add(r)
		return s
	}
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		parts := []*conduct.State{part(0, conduct.MaxCodes), part(conduct.MaxCodes-1, conduct.MaxCodes+1)}
		s := &conduct.State{}
		s.Merge(parts[order[0]])
		if s.Scopes[conduct.Shown].Products.TooMany {
			t.Fatal("as many as there may be are too many")
		}
		s.Merge(parts[order[1]])
		c := &s.Scopes[conduct.Shown].Products
		if _, known := c.HHI(); known || !c.TooMany || c.Rows != conduct.MaxCodes+2 || len(c.Codes) > 0 {
			t.Errorf("order %v: %d codes, too many %v, %d rows", order, len(c.Codes), c.TooMany, c.Rows)
		}
		var later conduct.State
		later.Merge(s)
		if c := &later.Scopes[conduct.Shown].Products; !c.TooMany {
			t.Error("too many are forgotten in a merge")
		}
	}
}

// However rows are cut into blocks and states, and over bytes and back, the state is the same.
func TestStatesMergeAndComeBack(t *testing.T) {
	level, grade := rapid.SampledFrom([]string{"C1", "C3", "C5", "", "x\"<"}), rapid.SampledFrom([]string{"R1", "R3", "R5", ""})
	flag := rapid.SampledFrom([]float64{0, 1, none})
	rapid.Check(t, func(t *rapid.T) {
		var whole, parts conduct.State
		var all []row
		for d := range rapid.IntRange(1, 8).Draw(t, "decisions") {
			var rows []row
			for i := range rapid.IntRange(1, 4).Draw(t, "rows") {
				rows = append(rows, row{
					fmt.Sprint("d", d), fmt.Sprint("P", i), rapid.SampledFrom([]string{"i", "j", ""}).Draw(t, "issuer"),
					level.Draw(t, "level"), grade.Draw(t, "grade"), flag.Draw(t, "confirmed"), flag.Draw(t, "complained"),
				})
			}
			all = append(all, rows...)
			var part, back conduct.State
			one := rowsOf(rows)
			for i := range one.Position { // as in the whole
				one.Position[i] = int32(len(all) - len(rows) + i + 1)
			}
			part.Add(one)
			data, err := json.Marshal(&part)
			if err != nil || json.Unmarshal(data, &back) != nil {
				t.Fatalf("%s: %v, %v", data, err, json.Unmarshal(data, &back))
			}
			parts.Merge(&back)
		}
		whole.Add(rowsOf(all))
		a, _ := json.Marshal(&whole)
		b, _ := json.Marshal(&parts)
		if !bytes.Equal(a, b) {
			t.Fatalf("whole\n%s\nparts\n%s", a, b)
		}
	})
}

// What no rows could have left behind is refused: parts come from outside.
func FuzzState(f *testing.F) {
	var s conduct.State
	s.Add(rowsOf([]row{{"d1", "A", "x", "C3", "R4", 1, 0}, {"d2", "B", "", "", "", none, none}}))
	data, err := json.Marshal(&s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(bytes.Replace(data, []byte(`"yes":2`), []byte(`"yes":-2`), 1))
	f.Add([]byte(`{"lacked":4294967295}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s conduct.State
		if json.Unmarshal(data, &s) != nil {
			return
		}
		again, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		var back conduct.State
		if err := json.Unmarshal(again, &back); err != nil {
			t.Fatalf("%s does not come back: %v", again, err)
		}
	})
}

func TestBytesThatAreNoState(t *testing.T) {
	var s conduct.State
	s.Add(rowsOf([]row{{"d1", "A", "x", "C3", "R4", 1, 0}}))
	good, _ := json.Marshal(&s)
	for _, c := range [][2]string{
		{`"kinds":[1,0,0]`, `"kinds":[0,0,0]`},
		{`"codes":{"A":1}`, `"codes":{"A":2}`},
		{`"codes":{"A":1}`, `"codes":{"":1}`},
		{`"rows":1`, `"rows":-1`},
		{`"lacked":0`, `"lacked":1048576000`},
		{`"known_known":1`, `"known_known":0`},
	} {
		bad := bytes.Replace(good, []byte(c[0]), []byte(c[1]), 1)
		if bytes.Equal(bad, good) {
			t.Fatalf("%s is not in %s", c[0], good)
		}
		if err := json.Unmarshal(bad, &conduct.State{}); err == nil {
			t.Errorf("%s is taken", c[1])
		}
	}
}
