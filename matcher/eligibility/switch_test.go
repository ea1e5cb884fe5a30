package eligibility_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// switchDay is a day on which the default pack's K01 and F03 are in force.
const switchDay = fund.Date(20261123)

func measure(r fund.Ratio) fund.Measure { return fund.Measure{Value: r, OK: true} }

// goodSwitch is one about which K01 has nothing to say but that it is recorded.
func goodSwitch() eligibility.Switch {
	return eligibility.Switch{
		Found: true, CostKnown: true, Cost: 100, Benefit: 101, YoungestDays: 180, SwitchesAYear: 4,
		Turnover: measure(1_999_999), CostToEquity: measure(19_999),
	}
}

func switchGate(tb testing.TB) *eligibility.Gate {
	tb.Helper()
	return compile(tb, packWith(tb, nil), []fund.Product{{Code: "p"}}, switchDay.Start())
}

func judgeSwitch(g *eligibility.Gate, situation eligibility.Situation, s eligibility.Switch) (eligibility.Verdict, string) {
	f := eligibility.Facts{}
	f.Situation = situation
	v, findings := g.JudgeSwitch(0, &f, &s, switchDay, nil)
	var said []string
	for _, x := range findings {
		said = append(said, x.Outcome.String()+" "+x.Reason)
	}
	return v, strings.Join(said, ", ")
}

// K01: each reason, the boundary at which it is silent, and what is not known.
func TestSwitchesAreJudged(t *testing.T) {
	t.Parallel()
	g := switchGate(t)
	for name, c := range map[string]struct {
		change    func(*eligibility.Switch)
		firm, own string
	}{
		"it pays":                    {func(*eligibility.Switch) {}, "", ""},
		"no switch":                  {func(s *eligibility.Switch) { *s = eligibility.Switch{} }, "-", "-"},
		"a benefit that is the cost": {func(s *eligibility.Switch) { s.Benefit = 100 }, "HIDE SWITCH_COSTS_MORE", "AUDIT SWITCH_COSTS_MORE"},
		"that cures a mismatch":      {func(s *eligibility.Switch) { s.Benefit, s.CuresMismatch = 0, true }, "", ""},
		"that cures a concentration": {func(s *eligibility.Switch) { s.Benefit, s.CuresConcentration = 0, true }, "", ""},
		"a cost that is not known":   {func(s *eligibility.Switch) { s.CostKnown = false }, "HIDE SWITCH_COST_UNKNOWN", "AUDIT SWITCH_COST_UNKNOWN"},
		"a cure at a cost not known": {func(s *eligibility.Switch) { s.CostKnown, s.CuresMismatch = false, true }, "HIDE SWITCH_COST_UNKNOWN", "AUDIT SWITCH_COST_UNKNOWN"},
		"a lot of 179 days":          {func(s *eligibility.Switch) { s.YoungestDays = 179 }, "HIDE LOT_TOO_YOUNG", "REVIEW LOT_TOO_YOUNG"},
		"a lot of unknown age":       {func(s *eligibility.Switch) { s.YoungestDays = -1 }, "HIDE LOT_TOO_YOUNG", "REVIEW LOT_TOO_YOUNG"},
		"a fifth switch":             {func(s *eligibility.Switch) { s.SwitchesAYear = 5 }, "HIDE TOO_MANY_SWITCHES", "REVIEW TOO_MANY_SWITCHES"},
		"a turnover of 2":            {func(s *eligibility.Switch) { s.Turnover.Value++ }, "HIDE TURNOVER_HIGH", "REVIEW TURNOVER_HIGH"},
		"a cost of 2 percent":        {func(s *eligibility.Switch) { s.CostToEquity.Value++ }, "HIDE COST_TO_EQUITY_HIGH", "REVIEW COST_TO_EQUITY_HIGH"},
		"a turnover not known":       {func(s *eligibility.Switch) { s.Turnover.OK = false }, "HIDE TURNOVER_HIGH", "REVIEW TURNOVER_HIGH"},
		"not known, and the first":   {func(s *eligibility.Switch) { s.Turnover.OK, s.SwitchesAYear = false, 1 }, "", ""},
		"bought back":                {func(s *eligibility.Switch) { s.InAndOut = true }, "HIDE IN_AND_OUT", "REVIEW IN_AND_OUT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := goodSwitch()
			c.change(&s)
			for situation, want := range map[eligibility.Situation]string{eligibility.FirmOrder: c.firm, eligibility.CustomerOrder: c.own} {
				_, got := judgeSwitch(g, situation, s)
				if want == "-" {
					want = ""
				} else {
					// It is recorded whatever else there is to say; reviews come after it.
					said := []string{want, "AUDIT SWITCH_RECORDED"}
					if !strings.Contains(want, "SWITCH_COST") {
						slices.Reverse(said)
					}
					want = strings.Trim(strings.Join(said, ", "), ", ")
				}
				if got != want {
					t.Errorf("%s: %q, want %q", situation, got, want)
				}
			}
		})
	}
}

// What a finding of K01 says: the parameters that it read, and the way out with its day.
func TestSwitchFindingsNameTheWayOut(t *testing.T) {
	t.Parallel()
	g := switchGate(t)
	s := goodSwitch()
	s.YoungestDays = 100
	f := eligibility.Facts{}
	f.Situation = eligibility.CustomerOrder
	_, findings := g.JudgeSwitch(0, &f, &s, switchDay, nil)
	young := findings[len(findings)-1]
	if young.Reason != "LOT_TOO_YOUNG" || young.Remedy != (eligibility.Remedy{Code: eligibility.RemedyWaitForLot, On: switchDay.AddDays(80)}) ||
		len(young.Parameters) != 1 || young.Parameters[0] != (eligibility.Parameter{Name: "young_days", Value: "180"}) || young.Citation == "" {
		t.Errorf("%+v", young)
	}
}

// On the firm's initiative nothing is permitted that is not justified and known, and what K01
// keeps from the customer it keeps from the firm.
func TestNoSwitchOnTheFirmsInitiativeWithoutAReason(t *testing.T) {
	t.Parallel()
	g := switchGate(t)
	rapid.Check(t, func(t *rapid.T) {
		flip := func(name string) bool { return rapid.Bool().Draw(t, name) }
		s := eligibility.Switch{
			Found: true, CostKnown: flip("known"), Cost: fund.Money(rapid.Int64Range(0, 300).Draw(t, "cost")), Benefit: fund.Money(rapid.Int64Range(0, 300).Draw(t, "benefit")),
			CuresMismatch: flip("mismatch"), CuresConcentration: flip("concentration"), YoungestDays: rapid.Int32Range(-1, 400).Draw(t, "days"),
			SwitchesAYear: rapid.Int32Range(0, 9).Draw(t, "switches"), Turnover: measure(fund.Ratio(rapid.Int64Range(0, 4_000_000).Draw(t, "turnover"))),
			CostToEquity: measure(fund.Ratio(rapid.Int64Range(0, 40_000).Draw(t, "cost to equity"))), InAndOut: flip("in and out"),
		}
		firm, _ := judgeSwitch(g, eligibility.FirmOrder, s)
		own, said := judgeSwitch(g, eligibility.CustomerOrder, s)
		if firm.Permitted && !s.Justified() {
			t.Fatalf("%+v is permitted", s)
		}
		if !own.Permitted || own.Outcome == eligibility.Review && firm.Permitted || !strings.Contains(said, "SWITCH_RECORDED") {
			t.Fatalf("%+v: his own %s, the firm's %s", s, own.Outcome, firm.Outcome)
		}
	})
}

// F03 begins on its day.
func TestServiceFeeDays(t *testing.T) {
	t.Parallel()
	for day, want := range map[fund.Date]fund.ServiceLimit{20251231: 0, 20260101: 365} {
		e := packWith(t, nil).InForce(day.Start())
		if got := e.ServiceFeeDays(); got != want || got.For(fund.MoneyMarket) != 0 || got.For(fund.Bond) != want {
			t.Errorf("%s: %d days, want %d", day, got, want)
		}
	}
}

// Only of a lot whose age is known a day is named, and of nothing else.
func TestOnlyAYoungLotWaitsForADay(t *testing.T) {
	t.Parallel()
	g := switchGate(t)
	f := eligibility.Facts{}
	f.Situation = eligibility.CustomerOrder
	s := goodSwitch()
	s.YoungestDays, s.SwitchesAYear, s.Benefit = 100, 5, 0
	for age, want := range map[int32]fund.Date{100: switchDay.AddDays(80), 0: switchDay.AddDays(180), -1: 0} {
		s.YoungestDays = age
		_, findings := g.JudgeSwitch(0, &f, &s, switchDay, nil)
		if len(findings) < 3 {
			t.Fatalf("%d findings", len(findings))
		}
		for _, found := range findings {
			due := fund.Date(0)
			if found.Reason == "LOT_TOO_YOUNG" {
				due = want
			}
			if found.Remedy.On != due {
				t.Errorf("age %d, %s: on %s, want %s", age, found.Reason, found.Remedy.On, due)
			}
		}
	}
}

// What is not known is told as that, and what is known as it is.
func TestSwitchFindingsTellWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	g := switchGate(t)
	f := eligibility.Facts{}
	f.Situation = eligibility.CustomerOrder
	said := func(s eligibility.Switch) string {
		_, findings := g.JudgeSwitch(0, &f, &s, switchDay, nil)
		var b strings.Builder
		for _, found := range findings {
			for _, fact := range found.Facts {
				b.WriteString(found.Reason + " " + fact.Name + "=" + fact.Value + "\n")
			}
		}
		return b.String()
	}
	known := goodSwitch()
	known.YoungestDays, known.Benefit, known.Turnover, known.CostToEquity = 0, 0, measure(3_000_000), measure(30_000)
	if got := said(known); strings.Contains(got, "UNKNOWN") || !strings.Contains(got, "=0\n") || !strings.Contains(got, "switch_cost") {
		t.Errorf("of what is known:\n%s", got)
	}
	unknown := known
	unknown.CostKnown, unknown.YoungestDays, unknown.Turnover, unknown.CostToEquity = false, -1, fund.Measure{}, fund.Measure{}
	if got := said(unknown); strings.Count(got, "UNKNOWN\n") < 4 {
		t.Errorf("of what is not known:\n%s", got)
	}
}
