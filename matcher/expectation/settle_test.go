package expectation_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// day is the day of the questions, at its instant.
const day = fund.Date(20240306)

var at = day.Start().Add(10 * 3_600e9)

// fits is a small model: what a class serves, and how well.
var fits = func() *[fund.Goals][fund.Classes]float64 {
	var f [fund.Goals][fund.Classes]float64
	f[fund.Cash][fund.MoneyMarket], f[fund.Treasury][fund.MoneyMarket] = 1, 1
	f[fund.SteadyIncome][fund.MoneyMarket], f[fund.SteadyIncome][fund.Bond] = 0.3, 1
	f[fund.House][fund.Bond], f[fund.Education][fund.FundOfFunds], f[fund.Growth][fund.FundOfFunds] = 1, 1, 0.7
	f[fund.Growth][fund.Equity], f[fund.Growth][fund.Index], f[fund.Inflation][fund.Index] = 1, 1, 0.8
	f[fund.Growth][fund.Commodity], f[fund.Inflation][fund.Commodity] = 0.3, 0.4
	f[fund.SteadyIncome][fund.RealEstate], f[fund.Inflation][fund.RealEstate] = 0.5, 0.5
	return &f
}()

// tags are valid always unless a test says otherwise; they are ordered by name.
func tags(nameSourceValue ...string) []fund.Tag {
	var out []fund.Tag
	for t := range slices.Chunk(nameSourceValue, 3) {
		out = append(out, fund.Tag{Name: t[0], Source: t[1], Value: t[2], To: fund.Forever})
	}
	slices.SortFunc(out, func(a, b fund.Tag) int { return strings.Compare(a.Name, b.Name) })
	return out
}

const asked = expectation.QuestionnaireSource

func person(birth fund.Date) fund.Person { return fund.Person{BirthDate: birth} }

func company(industry string) fund.Person {
	return fund.Person{Segment: fund.CorporateSegment, Industry: industry}
}

// holding is a knowledge of what he holds; viewing of what he looked at.
func holding(shares map[fund.Class]fund.Ratio) *expectation.Knowledge {
	k := &expectation.Knowledge{Fits: fits}
	for c, share := range shares {
		k.Held[c] = share
	}
	return k
}

func viewing(views map[fund.Class]int32) *expectation.Knowledge {
	k := &expectation.Knowledge{Fits: fits}
	for c, n := range views {
		k.Viewed[c] = n
	}
	return k
}

// What is known of a customer, source by source, and which of two decides.
func TestSettle(t *testing.T) {
	stated := fund.StatedNeeds{Goals: []fund.Goal{fund.House, fund.Cash}, HorizonMonths: 24, Liquidity: fund.NeedMedium}
	everything := tags("goal", asked, "RETIREMENT", "horizon_months", asked, "120", "liquidity_need", asked, "LOW", "loss_attitude", asked, "HOLD",
		"theme_interest", "BEHAVIOUR", "消费")
	equities := holding(map[fund.Class]fund.Ratio{fund.Equity: 1_000_000})
	bonds := viewing(map[fund.Class]int32{fund.Bond: 8})
	both := holding(map[fund.Class]fund.Ratio{fund.Equity: 600_000})
	both.Viewed = bonds.Viewed
	for name, c := range map[string]struct {
		profile   fund.Profile
		knowledge *expectation.Knowledge
		want      string // goal, source, confidence, horizon, its source, need, its source, question
		narrows   bool
		scores    bool
		mustAsk   bool
	}{
		"everything is stated: the first goal":  {fund.Profile{Needs: stated}, nil, "HOUSE STATED 900000 24 STATED MEDIUM STATED -", true, true, false},
		"his word outweighs all else":           {fund.Profile{Needs: stated, Tags: everything}, both, "HOUSE STATED 900000 24 STATED MEDIUM STATED -", true, true, false},
		"the questionnaire outweighs holdings":  {fund.Profile{Tags: everything}, both, "RETIREMENT QUESTIONNAIRE 800000 120 QUESTIONNAIRE LOW QUESTIONNAIRE GOAL", true, true, true},
		"holdings outweigh visits":              {fund.Profile{}, both, "GROWTH HOLDINGS 600000 0 - - - GOAL", false, true, true},
		"holdings outweigh a tag":               {fund.Profile{Tags: tags("goal", "CRM", "HOUSE")}, equities, "GROWTH HOLDINGS 750000 0 - - - GOAL", false, true, true},
		"visits outweigh a tag":                 {fund.Profile{Tags: tags("goal", "CRM", "HOUSE")}, bonds, "STEADY_INCOME BEHAVIOUR 580000 0 - - - GOAL", false, true, true},
		"a tag outweighs the group":             {fund.Profile{Tags: tags("goal", "CRM", "HOUSE"), Person: person(19900101)}, nil, "HOUSE TAG 500000 0 - - - GOAL", true, true, true},
		"the group of his age":                  {fund.Profile{Person: person(19900101)}, nil, "GROWTH GROUP 200000 0 - - - GOAL", false, false, true},
		"the group of his age and horizon":      {fund.Profile{Person: person(19900101), Needs: fund.StatedNeeds{HorizonMonths: 11}}, nil, "CASH GROUP 200000 11 STATED - - GOAL", false, false, true},
		"the group of a company":                {fund.Profile{Person: company("现代物流")}, nil, "TREASURY GROUP 200000 0 - - - GOAL", false, false, true},
		"nothing is known":                      {fund.Profile{}, &expectation.Knowledge{}, "UNKNOWN GROUP 100000 0 - - - GOAL", false, false, true},
		"a goal without a horizon":              {fund.Profile{Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.Cash}}}, nil, "CASH STATED 900000 0 - - - HORIZON", true, true, true},
		"a company's goal without a horizon":    {fund.Profile{Person: company(""), Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.Treasury}}}, nil, "TREASURY STATED 900000 0 - - - CASH_CYCLE", true, true, true},
		"no need: asked, and no reason to wait": {fund.Profile{Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.Cash}, HorizonMonths: 6}}, nil, "CASH STATED 900000 6 STATED - - LIQUIDITY", true, true, false},
		"his goal, a questionnaire's horizon: asked once more": {
			fund.Profile{Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.Cash}}, Tags: everything},
			nil,
			"CASH STATED 900000 120 QUESTIONNAIRE LOW QUESTIONNAIRE HORIZON", true, true, true,
		},
		"a questionnaire's goal, no horizon": {
			fund.Profile{Tags: tags("goal", asked, "GROWTH")}, nil, "GROWTH QUESTIONNAIRE 800000 0 - - - HORIZON", true, true, true,
		},
		"after a loss, all else known": {
			fund.Profile{Needs: stated}, &expectation.Knowledge{Lost: true}, "HOUSE STATED 900000 24 STATED MEDIUM STATED LOSS_ATTITUDE", true, true, false,
		},
		"after a loss, his attitude known": {
			fund.Profile{Needs: stated, Tags: everything}, &expectation.Knowledge{Lost: true}, "HOUSE STATED 900000 24 STATED MEDIUM STATED -", true, true, false,
		},
	} {
		w, until := expectation.Settle(&c.profile, at, c.knowledge)
		if got := summary(&w); got != c.want || w.Narrows() != c.narrows || w.Scores() != c.scores || w.MustAsk() != c.mustAsk {
			t.Errorf("%s:\n got %s, narrows %v, scores %v, must ask %v\nwant %s", name, got, w.Narrows(), w.Scores(), w.MustAsk(), c.want)
		}
		if until <= at {
			t.Errorf("%s: holds until %d", name, until)
		}
	}
	if w := expectation.Impersonal(false); w.Goal != fund.GoalUnknown || !w.MustAsk() || w.Scores() || w.Narrows() || w.Source != expectation.FromGroup {
		t.Errorf("nobody in particular wants %+v", w)
	}
}

// summary writes a wish in one line; a source of nothing is left out.
func summary(w *expectation.Wish) string {
	return w.Goal.String() + " " + w.Source.String() + " " + itoa(int64(w.Confidence)) + " " + itoa(int64(w.HorizonMonths)) + " " +
		sourceOf(w.HorizonMonths > 0, w.HorizonSource) + " " + orNone(w.Need.String()) + " " + sourceOf(w.Need != 0, w.NeedSource) + " " + orNone(w.Question.String())
}

func sourceOf(known bool, s expectation.Source) string {
	if known {
		return s.String()
	}
	return "-"
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// What a stored value may be: its kind, within bounds, from where it can be known.
func TestTagValues(t *testing.T) {
	nothing := expectation.Wish{Confidence: 100_000, Question: expectation.AskGoal}
	for name, c := range map[string]struct {
		tags []fund.Tag
		want func(w *expectation.Wish)
	}{
		"a goal of no meaning":                  {tags("goal", asked, "rich soon"), nil},
		"a goal that says nothing":              {tags("goal", "CRM", "UNKNOWN"), nil},
		"an empty goal":                         {tags("goal", "CRM", ""), nil},
		"a horizon":                             {tags("horizon_months", asked, "600"), func(w *expectation.Wish) { w.HorizonMonths, w.HorizonSource = 600, expectation.FromQuestionnaire }},
		"a month too long":                      {tags("horizon_months", asked, "601"), nil},
		"a horizon of many digits":              {tags("horizon_months", asked, "4294967297"), nil},
		"none":                                  {tags("horizon_months", asked, "0"), nil},
		"a negative one":                        {tags("horizon_months", asked, "-5"), nil},
		"one in words":                          {tags("horizon_months", asked, "三年"), nil},
		"an empty one":                          {tags("horizon_months", asked, ""), nil},
		"a horizon that nobody asked for":       {tags("horizon_months", "CRM", "12"), nil},
		"a need":                                {tags("liquidity_need", asked, "HIGH"), func(w *expectation.Wish) { w.Need, w.NeedSource = fund.NeedHigh, expectation.FromQuestionnaire }},
		"a need of no meaning":                  {tags("liquidity_need", asked, "HIGHEST"), nil},
		"a need that nobody asked for":          {tags("liquidity_need", "BEHAVIOUR", "HIGH"), nil},
		"an attitude":                           {tags("loss_attitude", asked, "SELL"), func(w *expectation.Wish) { w.Attitude = expectation.WouldSell }},
		"an attitude that somebody put on him":  {tags("loss_attitude", "CRM", "SELL"), nil},
		"an attitude of no meaning":             {tags("loss_attitude", asked, "CRY"), nil},
		"a theme, whoever noticed it":           {tags("theme_interest", "BEHAVIOUR", "消费"), func(w *expectation.Wish) { w.Theme = "消费" }},
		"a tag that nobody asks for":            {tags("age_group", asked, "GROWTH"), nil},
		"the source in another case is another": {tags("liquidity_need", "questionnaire", "HIGH"), nil},
	} {
		want := nothing
		if c.want != nil {
			c.want(&want)
		}
		if w, until := expectation.Settle(&fund.Profile{Tags: c.tags}, at, nil); w != want || until != fund.Forever {
			t.Errorf("%s: %+v until %d\nwant %+v", name, w, until, want)
		}
	}
	for stated, want := range map[int32]int32{-5: 0, 0: 0, 1: 1, 600: 600, 601: 600, 1 << 30: 600} {
		w, _ := expectation.Settle(&fund.Profile{Needs: fund.StatedNeeds{HorizonMonths: stated}}, at, nil)
		if w.HorizonMonths != want || want > 0 != (w.HorizonSource == expectation.Stated) {
			t.Errorf("%d months stated: %d from %s, want %d", stated, w.HorizonMonths, w.HorizonSource, want)
		}
	}
}

// A tag holds in [From, To), to the instant; the wish says until when it holds.
func TestTagsEndAtTheInstant(t *testing.T) {
	one := func(from, to fund.Instant) []fund.Tag {
		return []fund.Tag{{Name: "goal", Value: "HOUSE", From: from, To: to}, {Name: "horizon", Value: "x", To: at + 1}}
	}
	for name, c := range map[string]struct {
		tags  []fund.Tag
		goal  fund.Goal
		until fund.Instant
	}{
		"it holds":                 {one(0, at+9), fund.House, at + 9},
		"it begins now":            {one(at, at+9), fund.House, at + 9},
		"it ends at this instant":  {one(0, at), fund.GoalUnknown, fund.Forever},
		"it ends an instant later": {one(0, at+1), fund.House, at + 1},
		"it begins later":          {one(at+5, fund.Forever), fund.GoalUnknown, at + 5},
		"it never ends":            {one(0, fund.Forever), fund.House, fund.Forever},
		"it ends before it begins": {one(at+5, at+2), fund.GoalUnknown, at + 5},
	} {
		w, until := expectation.Settle(&fund.Profile{Tags: c.tags}, at, nil)
		if w.Goal != c.goal || until != c.until {
			t.Errorf("%s: %s until %d, want %s until %d", name, w.Goal, until, c.goal, c.until)
		}
	}
	// What he said himself makes the tag of no interest, and its end too.
	p := fund.Profile{Tags: one(0, at+9), Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.Cash}}}
	if _, until := expectation.Settle(&p, at, nil); until != fund.Forever {
		t.Errorf("a tag that is not read ends the answer at %d", until)
	}
}

// anyProfile draws whatever may be stored, sense and nonsense.
func anyProfile(t *rapid.T) *fund.Profile {
	p := &fund.Profile{}
	if rapid.Bool().Draw(t, "goal stated") {
		p.Needs.Goals = []fund.Goal{fund.Goal(rapid.IntRange(1, fund.Goals-1).Draw(t, "goal"))}
	}
	if rapid.Bool().Draw(t, "horizon stated") {
		p.Needs.HorizonMonths = rapid.Int32().Draw(t, "horizon")
	}
	p.Needs.Liquidity = fund.Need(rapid.IntRange(0, fund.Needs-1).Draw(t, "need"))
	switch rapid.IntRange(0, 2).Draw(t, "who") {
	case 0:
		p.Person = company(rapid.SampledFrom([]string{"", "物流", "农产品", "殡葬"}).Draw(t, "industry"))
	case 1:
		p.Person = person(day.AddDays(-rapid.IntRange(-10, 40_000).Draw(t, "days old")))
	}
	values := map[string][]string{
		"goal": {"HOUSE", "CASH", "TREASURY", "x", ""}, "horizon_months": {"1", "36", "601", "x"}, "liquidity_need": {"LOW", "HIGH", "x"},
		"loss_attitude": {"SELL", "HOLD", "x"}, "theme_interest": {"消费", "医药 消费", ""},
	}
	for _, name := range []string{"goal", "horizon_months", "liquidity_need", "loss_attitude", "theme_interest"} {
		if !rapid.Bool().Draw(t, name) {
			continue
		}
		p.Tags = append(p.Tags, fund.Tag{
			Name: name, Value: rapid.SampledFrom(values[name]).Draw(t, name+" value"), Source: rapid.SampledFrom([]string{asked, "CRM", ""}).Draw(t, name+" source"),
			From: at + fund.Instant(rapid.IntRange(-3, 3).Draw(t, name+" from")), To: at + fund.Instant(rapid.IntRange(-3, 3).Draw(t, name+" to")),
		})
	}
	return p
}

func anyKnowledge(t *rapid.T) *expectation.Knowledge {
	if rapid.IntRange(0, 3).Draw(t, "nothing known") == 0 {
		return nil
	}
	k := &expectation.Knowledge{Fits: fits, Lost: rapid.Bool().Draw(t, "lost")}
	for c := range k.Held {
		if rapid.IntRange(0, 3).Draw(t, "held") == 0 {
			k.Held[c] = fund.Ratio(rapid.Int64().Draw(t, "share"))
		}
		if rapid.IntRange(0, 3).Draw(t, "held in part") == 0 {
			k.Held[c] = fund.Ratio(rapid.Int64Range(0, 1_000_000).Draw(t, "part"))
		}
		if rapid.IntRange(0, 3).Draw(t, "viewed") == 0 {
			k.Viewed[c] = rapid.Int32().Draw(t, "views")
		}
	}
	return k
}

// Whatever is inferred, an order waits for his own word; what it must wait for is what is
// asked; and what may be told the gate is no more than narrows.
func TestWhatIsInferredNeverOpens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, k := anyProfile(t), anyKnowledge(t)
		w, until := expectation.Settle(p, at, k)
		own := len(p.Needs.Goals) > 0 && p.Needs.HorizonMonths > 0
		if w.MustAsk() == own {
			t.Fatalf("%+v: must ask %v, his own word %v", w, w.MustAsk(), own)
		}
		mustAnswer := w.Question == expectation.AskGoal || w.Question == expectation.AskHorizon || w.Question == expectation.AskCashCycle
		if w.MustAsk() != mustAnswer {
			t.Fatalf("must ask %v, and asks %q", w.MustAsk(), w.Question)
		}
		if own != (w.Source == expectation.Stated && w.HorizonMonths > 0 && w.HorizonSource == expectation.Stated) {
			t.Fatalf("%+v claims his word", w)
		}
		if w.Scores() == (w.Source == expectation.FromGroup) {
			t.Fatalf("%+v scores: %v", w, w.Scores())
		}
		if until <= at || w.HorizonMonths < 0 || w.HorizonMonths > fund.MaxHorizonMonths {
			t.Fatalf("%+v until %d", w, until)
		}
		goal, months, need := w.ForGate(false)
		if goal != fund.GoalUnknown && goal != p.Needs.Goals[0] || months > max(p.Needs.HorizonMonths, 0) || need != p.Needs.Liquidity {
			t.Fatalf("a list that is not personal tells the gate %s %d %s", goal, months, need)
		}
		if goal, months, need = w.ForGate(true); goal != fund.GoalUnknown && !w.Narrows() || months != w.HorizonMonths || need != w.Need {
			t.Fatalf("%+v tells the gate %s %d %s", w, goal, months, need)
		}
		if again, _ := expectation.Settle(p, at, k); again != w {
			t.Fatalf("%+v, and then %+v", w, again)
		}
	})
}

// Until it ends, a wish stays what it is.
func TestAWishHoldsUntilItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, k := anyProfile(t), anyKnowledge(t)
		w, until := expectation.Settle(p, at, k)
		later := at + fund.Instant(rapid.Int64Range(0, int64(min(until-at, 40*365*86_400_000_000))-1).Draw(t, "later"))
		if got, _ := expectation.Settle(p, later, k); got != w {
			t.Fatalf("%+v until %d; at %d %+v", w, until, later, got)
		}
	})
}

// A less trusted source never changes what a more trusted one says.
func TestAWeakerSourceChangesNothing(t *testing.T) {
	remove := map[expectation.Source]func(p *fund.Profile, k *expectation.Knowledge){
		expectation.FromGroup:     func(p *fund.Profile, _ *expectation.Knowledge) { p.Person.BirthDate = 0 },
		expectation.FromBehaviour: func(_ *fund.Profile, k *expectation.Knowledge) { k.Viewed = [fund.Classes]int32{} },
		expectation.FromHoldings:  func(_ *fund.Profile, k *expectation.Knowledge) { k.Held = [fund.Classes]fund.Ratio{} },
		expectation.FromTag: func(p *fund.Profile, _ *expectation.Knowledge) {
			dropGoal(p, func(s string) bool { return s != asked })
		},
		expectation.FromQuestionnaire: func(p *fund.Profile, _ *expectation.Knowledge) {
			dropGoal(p, func(s string) bool { return s == asked })
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		p, k := anyProfile(t), anyKnowledge(t)
		if k == nil {
			k = &expectation.Knowledge{}
		}
		if p.Person.IsCompany() {
			p.Person = fund.Person{} // its group is not a matter of one fact
		}
		full, _ := expectation.Settle(p, at, k)
		weaker := rapid.SampledFrom([]expectation.Source{
			expectation.FromGroup, expectation.FromTag, expectation.FromBehaviour, expectation.FromHoldings, expectation.FromQuestionnaire,
		}).Draw(t, "source")
		less, without := *p, *k
		remove[weaker](&less, &without)
		w, _ := expectation.Settle(&less, at, &without)
		if full.Source.Trust() > weaker.Trust() && (w.Goal != full.Goal || w.Source != full.Source || w.Confidence != full.Confidence) {
			t.Fatalf("%+v; without %s %+v", full, weaker, w)
		}
		if w.Confidence > full.Confidence {
			t.Fatalf("surer with less: %+v; without %s %+v", full, weaker, w)
		}
	})
}

func dropGoal(p *fund.Profile, of func(source string) bool) {
	p.Tags = slices.DeleteFunc(slices.Clone(p.Tags), func(t fund.Tag) bool { return t.Name == "goal" && of(t.Source) })
}

// The codes stand in decision records and on the wire: their numbers stay.
func TestCodes(t *testing.T) {
	var got []string
	for s := range expectation.Source(expectation.Sources) {
		got = append(got, s.String())
	}
	for q := range expectation.Question(expectation.Questions) {
		got = append(got, q.String())
	}
	for a := range expectation.Aspect(expectation.Aspects) {
		got = append(got, a.String())
	}
	for a := range expectation.Attitude(expectation.Attitudes) {
		got = append(got, a.String())
	}
	want := strings.Split("GROUP TAG STATED QUESTIONNAIRE HOLDINGS BEHAVIOUR  GOAL HORIZON LIQUIDITY LOSS_ATTITUDE CASH_CYCLE "+
		"GOAL HORIZON LIQUIDITY LOSS_TOLERANCE THEME AMOUNT OUTCOME  SELL HOLD ADD", " ")
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// The order of trust is the playbook's, and confidence follows it.
func TestTrust(t *testing.T) {
	order := []expectation.Source{
		expectation.FromGroup, expectation.FromTag, expectation.FromBehaviour, expectation.FromHoldings, expectation.FromQuestionnaire, expectation.Stated,
	}
	for i, s := range order {
		if s.Trust() != i {
			t.Errorf("%s is trusted %d, want %d", s, s.Trust(), i)
		}
	}
}
