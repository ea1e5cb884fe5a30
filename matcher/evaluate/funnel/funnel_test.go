package funnel_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/funnel"
)

var none = math.NaN() //nolint:gochecknoglobals // what stands for "not known"

// row is a row of a table of cases; the flags in the order of funnel.Flag.
type row struct {
	decision         int
	flags            [funnel.Flags]float64
	foreseen, raised string
}

func rowsOf(rows []row) *funnel.Rows {
	out := &funnel.Rows{Foreseen: &funnel.Text{}, Raised: &funnel.Text{}}
	put := func(t *funnel.Text, v string) {
		for i, name := range t.Names {
			if name == v {
				t.Values = append(t.Values, uint32(i))
				return
			}
		}
		t.Values, t.Names = append(t.Values, uint32(len(t.Names))), append(t.Names, v)
	}
	for i, r := range rows {
		if i == 0 || rows[i-1].decision != r.decision {
			out.Ends = append(out.Ends, 0)
		}
		out.Ends[len(out.Ends)-1] = int32(i + 1)
		for f := range out.Flags {
			out.Flags[f] = append(out.Flags[f], r.flags[f])
		}
		put(out.Foreseen, r.foreseen)
		put(out.Raised, r.raised)
	}
	return out
}

// cases are a handful of rows whose every figure is counted by hand.
func cases() []row {
	return []row{ // exposed, viewed, answered, started, confirmed, abandoned
		{1, [6]float64{1, 1, 1, 1, 1, 0}, "FEE DRAWDOWN", "FEE"},
		{1, [6]float64{1, 1, 0, 0, 0, 0}, "FEE", "FEE TIMING"},
		{1, [6]float64{1, 0, 0, 0, 0, 0}, "DRAWDOWN", ""},
		{2, [6]float64{0, 0, 0, 1, 1, 0}, "", ""}, // ordered in the branch
		{2, [6]float64{1, 1, 0, 1, 0, 1}, "FEE", ""},
		{2, [6]float64{none, none, none, none, none, none}, "", "TIMING TIMING"},
	}
}

func TestSteps(t *testing.T) {
	var s funnel.State
	s.Add(rowsOf(cases()))
	for step, want := range map[funnel.Step][4]int64{ // yes, no, unknown, entered
		funnel.StepExposed:   {4, 1, 1, 0},
		funnel.StepViewed:    {3, 1, 0, 0},
		funnel.StepStarted:   {2, 1, 0, 1},
		funnel.StepConfirmed: {2, 1, 0, 0},
	} {
		w := s.Ways[step]
		if got := [4]int64{w.WentOn.Yes, w.WentOn.No, w.WentOn.Unknown, w.Entered}; got != want {
			t.Errorf("step %d: %v, expected %v", step, got, want)
		}
	}
	if q := s.Quits; q.Yes != 1 || q.No != 2 || s.Rows != 6 {
		t.Errorf("abandoned: %+v of %d rows", q, s.Rows)
	}
}

func TestObjections(t *testing.T) {
	var s funnel.State
	s.Add(rowsOf(cases()))
	type figures struct{ foreseen, raised, both, answered, unanswered, wentAnswered, wentUnanswered int64 }
	of := func(d *funnel.Doubt) figures {
		return figures{d.Foreseen, d.Raised, d.Both, d.Answered.Yes, d.Answered.No, d.WentOn[1].Yes, d.WentOn[0].Yes}
	}
	for code, want := range map[string]figures{
		"FEE": {3, 2, 2, 1, 1, 1, 0}, "DRAWDOWN": {2, 0, 0, 0, 0, 0, 0}, "TIMING": {0, 2, 0, 0, 1, 0, 0},
	} {
		d := s.Objections[code]
		if d == nil || of(d) != want {
			t.Errorf("%s: %+v, expected %+v", code, d, want)
		}
	}
	if got, want := of(&s.Any), (figures{4, 3, 2, 1, 1, 1, 0}); got != want {
		t.Errorf("any: %+v, expected %+v", got, want)
	}
	if s.None.Yes != 1 || s.None.No != 0 { // viewed without an objection: one, who went on
		t.Errorf("without: %+v", s.None)
	}
	if d := s.Objections["TIMING"]; d.Answered.Unknown != 1 {
		t.Errorf("what is not known was taken for an answer: %+v", d.Answered)
	}
}

func TestLackedColumns(t *testing.T) {
	r := rowsOf(cases())
	r.Flags[funnel.Viewed], r.Raised = nil, nil
	var s funnel.State
	s.Add(r)
	if !s.Lacks(funnel.FlagColumn(funnel.Viewed)) || !s.Lacks(funnel.ColumnRaised) || s.Lacks(funnel.ColumnForeseen) || s.Lacks(funnel.FlagColumn(funnel.Exposed)) {
		t.Error("the wrong columns are lacked")
	}
	if w := s.Ways[funnel.StepViewed].WentOn; w.Known() != 0 || w.Unknown != 4 {
		t.Errorf("viewed without a column: %+v", w)
	}
}

func TestTooManyObjections(t *testing.T) {
	var rows []row
	for i := range funnel.MaxObjections + 1 {
		rows = append(rows, row{decision: i, raised: fmt.Sprint("O", i)})
	}
	var s, first funnel.State
	s.Add(rowsOf(rows))
	if !s.TooMany || len(s.Objections) > 0 || s.Any.Raised != funnel.MaxObjections+1 {
		t.Errorf("too many %v, %d codes, %d raised", s.TooMany, len(s.Objections), s.Any.Raised)
	}
	first.Add(rowsOf(rows[:funnel.MaxObjections]))
	if first.TooMany {
		t.Error("as many as there may be are too many")
	}
	first.Merge(&s)
	if !first.TooMany || len(first.Objections) > 0 {
		t.Error("too many are forgotten in a merge")
	}
}

// However rows are cut into blocks and states, and over bytes and back, the state is the same.
func TestStatesMergeAndComeBack(t *testing.T) {
	flag := rapid.SampledFrom([]float64{0, 1, none})
	codes := rapid.SampledFrom([]string{"", "FEE", "FEE TIMING", "TIMING  FEE", "NEW_FUND"})
	rapid.Check(t, func(t *rapid.T) {
		var whole, parts funnel.State
		var all []row
		for d := range rapid.IntRange(1, 8).Draw(t, "decisions") {
			var rows []row
			for range rapid.IntRange(1, 4).Draw(t, "rows") {
				r := row{decision: d, foreseen: codes.Draw(t, "foreseen"), raised: codes.Draw(t, "raised")}
				for f := range r.flags {
					r.flags[f] = flag.Draw(t, "flag")
				}
				rows = append(rows, r)
			}
			all = append(all, rows...)
			var part, back funnel.State
			part.Add(rowsOf(rows))
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
	var s funnel.State
	s.Add(rowsOf(cases()))
	data, err := json.Marshal(&s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"objections":{"FEE":null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s funnel.State
		if json.Unmarshal(data, &s) != nil {
			return
		}
		again, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		var back funnel.State
		if err := json.Unmarshal(again, &back); err != nil {
			t.Fatalf("%s does not come back: %v", again, err)
		}
	})
}

func TestBytesThatAreNoState(t *testing.T) {
	var s funnel.State
	s.Add(rowsOf(cases()))
	good, _ := json.Marshal(&s)
	for _, c := range [][2]string{
		{`"rows":6`, `"rows":-6`},
		{`"entered":1`, `"entered":-1`},
		{`"both":2`, `"both":5`},
		{`"FEE":{`, `"":{`},
		{`"yes":4,"no":1`, `"yes":-4,"no":1`},
		{`"lacked":0`, `"lacked":1024`},
	} {
		bad := bytes.Replace(good, []byte(c[0]), []byte(c[1]), 1)
		if bytes.Equal(bad, good) {
			t.Fatalf("%s is not in %s", c[0], good)
		}
		if err := json.Unmarshal(bad, &funnel.State{}); err == nil {
			t.Errorf("%s is taken", c[1])
		}
	}
}
