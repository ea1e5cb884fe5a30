package view_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

const day = fund.Instant(86_400_000_000)

// fold builds the profile of cells and events as everybody knew them at an instant.
func fold(t *testing.T, at fund.Instant, cells []features.Cell, events ...features.Event) *fund.Profile {
	t.Helper()
	for i := range cells {
		cells[i].CustomerID = "c1"
		if err := cells[i].Check(); err != nil {
			t.Fatal(err)
		}
	}
	p, err := history.AsOf(&features.History{CustomerID: "c1", Cells: cells, Events: events}, features.AsKnown(at))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// one reads one feature.
func one(t *testing.T, c *view.Catalogue, p *fund.Profile, feature string, r view.Request) view.Cell {
	t.Helper()
	plan, err := c.PlanViews([]string{feature})
	if err != nil {
		t.Fatal(err)
	}
	cells := plan.Read(p, &r, nil)
	if len(cells) != 1 || cells[0].String() != feature {
		t.Fatalf("%d cells: %+v", len(cells), cells)
	}
	if (cells[0].Status == view.Present) != (cells[0].Value.Type != 0) {
		t.Fatalf("%s %s carries %+v", feature, cells[0].Status, cells[0].Value)
	}
	return cells[0]
}

// salary is a cell of the bank's own view.
func salary(name, value string, at fund.Instant) features.Cell {
	return features.Cell{View: "salary", Name: name, Value: value, EventAt: at}
}

func word(purpose, value string, at fund.Instant) features.Cell {
	return features.Cell{View: features.ConsentView, Name: purpose, Value: value, EventAt: at}
}

func TestStatusOfAge(t *testing.T) {
	c := ofBank(t) // salary: read age 30 days, look-back 400, retention 3650
	written := 20_000 * day
	valid := salary("monthly", "1200.50", written)
	valid.ValidTo = written + 10*day
	gone := salary("monthly", "", written+2*day)
	gone.Tombstone = true
	for _, x := range []struct {
		name  string
		cells []features.Cell
		at    fund.Instant
		want  view.Status
		value string
	}{
		{"an instant before it was written", []features.Cell{salary("monthly", "1", written)}, written - 1, view.NotFound, ""},
		{"the instant of its event", []features.Cell{salary("monthly", "1.50", written)}, written, view.Present, "1.5"},
		{"as old as the read age", []features.Cell{salary("monthly", "1", written)}, written + 30*day, view.Present, "1"},
		{"a microsecond older", []features.Cell{salary("monthly", "1", written)}, written + 30*day + 1, view.OutsideMaxAge, ""},
		{"as far as the look-back", []features.Cell{salary("monthly", "1", written)}, written + 400*day, view.OutsideMaxAge, ""},
		{"a microsecond further", []features.Cell{salary("monthly", "1", written)}, written + 400*day + 1, view.NotFound, ""},
		{"past retention", []features.Cell{salary("monthly", "1", written)}, written + 3650*day, view.NotFound, ""},
		{"an instant before its end", []features.Cell{valid}, written + 10*day - 1, view.Present, "1200.5"},
		{"at its end", []features.Cell{valid}, written + 10*day, view.Expired, ""},
		{"ended and too old", []features.Cell{valid}, written + 31*day, view.Expired, ""},
		{"written as unknown", []features.Cell{salary("monthly", "null", written)}, written + day, view.NullValue, ""},
		{"unknown and too old", []features.Cell{salary("monthly", "null", written)}, written + 31*day, view.OutsideMaxAge, ""},
		{"removed", []features.Cell{salary("monthly", "1", written), gone}, written + 2*day, view.NotFound, ""},
		{"removed, and written later about before", []features.Cell{gone, salary("monthly", "7", written+day)}, written + 3*day, view.NotFound, ""},
		{"written again", []features.Cell{gone, salary("monthly", "7", written+3*day)}, written + 3*day, view.Present, "7"},
		{"never written", nil, written, view.NotFound, ""},
		{"of another type", []features.Cell{salary("monthly", `"much"`, written)}, written, view.NotFound, ""},
	} {
		got := one(t, c, fold(t, x.at, x.cells), "salary.monthly", view.Request{At: x.at})
		if got.Status != x.want || got.Value.String() != x.value {
			t.Errorf("%s: %s %s, expected %s %s", x.name, got.Status, got.Value, x.want, x.value)
		}
		if found := got.Status != view.NotFound; found != (got.From == written || got.From == written+3*day) || found != (got.To != 0) {
			t.Errorf("%s: %s from %d to %d", x.name, got.Status, got.From, got.To)
		}
	}
}

func TestPurposeThenConsent(t *testing.T) {
	c := ofBank(t) // RESEARCH needs a consent, SUITABILITY does not
	written := 20_000 * day
	cells := []features.Cell{
		salary("monthly", "3", written), word("RESEARCH", "true", written+day), word("RESEARCH", "false", written+10*day), word("RESEARCH", "true", written+20*day),
	}
	for _, x := range []struct {
		name, purpose string
		at            fund.Instant
		role          view.Role
		want          view.Status
	}{
		{"before any word", "RESEARCH", written, view.AnyRole, view.ConsentMissing},
		{"from the instant of the consent", "RESEARCH", written + day, view.AnyRole, view.Present},
		{"until the instant of its withdrawal", "RESEARCH", written + 10*day - 1, view.AnyRole, view.Present},
		{"from the instant of its withdrawal", "RESEARCH", written + 10*day, view.AnyRole, view.ConsentWithdrawn},
		{"given again", "RESEARCH", written + 20*day, view.AnyRole, view.Present},
		{"a purpose that needs none", "SUITABILITY", written + 10*day, view.AnyRole, view.Present},
		{"a purpose that it is not for", "AUDIT", written, view.AnyRole, view.PurposeDenied},
		{"a purpose that nobody declared", "CURIOSITY", written, view.AnyRole, view.PurposeDenied},
		{"the program itself", "", written + 10*day, view.AnyRole, view.Present},
		{"a reader who may", "RESEARCH", written + day, view.Manager, view.Present},
		{"a reader who may not, without a consent", "RESEARCH", written, view.App, view.PurposeDenied},
	} {
		got := one(t, c, fold(t, x.at, cells), "salary.monthly", view.Request{At: x.at, Purpose: x.purpose, Role: x.role})
		if got.Status != x.want {
			t.Errorf("%s: %s, expected %s", x.name, got.Status, x.want)
		}
		if got.Status > view.NotFound && (got.From != 0 || got.To != 0) {
			t.Errorf("%s: %s tells of times %d to %d", x.name, got.Status, got.From, got.To)
		}
	}
	if got := one(t, c, fold(t, written, cells), "salary.employer", view.Request{At: written, Role: view.Manager}); got.Status != view.PurposeDenied {
		t.Errorf("a feature for auditors only, read by a manager: %s", got.Status)
	}
	if got := one(t, c, nil, "salary.monthly", view.Request{At: written, Purpose: "RESEARCH"}); got.Status != view.ConsentMissing {
		t.Errorf("a customer who is not known: %s", got.Status)
	}
}

// What a cell is kept for binds every reader of it, the program too.
func TestTheCellsOwnPurpose(t *testing.T) {
	written := 20_000 * day
	tag := func(purpose string) features.Cell {
		return features.Cell{View: features.TagView, Name: "theme_interest", Value: "医药", EventAt: written, Purpose: purpose}
	}
	for _, x := range []struct {
		name, kept, word, purpose string
		want                      view.Status
	}{
		{"kept for nothing in particular", "", "", "", view.Present},
		{"a purpose that needs no consent", "PERSONALIZATION", "", "PERSONALIZATION", view.Present},
		{"one that does, without a word", fund.ConsentProfiling, "", "", view.ConsentMissing},
		{"with a consent", fund.ConsentProfiling, "true", "", view.Present},
		{"the consent taken back", fund.ConsentProfiling, "false", fund.ConsentProfiling, view.ConsentWithdrawn},
		{"taken back though none was needed", "PERSONALIZATION", "false", "", view.ConsentWithdrawn},
		{"read for something else", "PERSONALIZATION", "", view.Evaluation, view.PurposeDenied},
	} {
		cells := []features.Cell{tag(x.kept)}
		if x.word != "" {
			cells = append(cells, word(x.kept, x.word, written))
		}
		got := one(t, view.Default(), fold(t, written, cells), "tag.theme_interest", view.Request{At: written, Purpose: x.purpose})
		if got.Status != x.want {
			t.Errorf("%s: %s, expected %s", x.name, got.Status, x.want)
		}
	}
}

// Who switched personalisation off is read for what serves his person no further than a list
// for everybody would be: by the cells of the gate.
func TestWithoutPersonalisationOnlyTheGateIsRead(t *testing.T) {
	at := 20_000 * day
	cells := []features.Cell{
		{View: features.PersonView, Name: "segment", Value: "MASS"},
		{View: features.PersonView, Name: "industry", Value: "IT"},
		{View: features.NeedsView, Name: features.GoalsName, Value: "GROWTH CASH"},
		{View: features.TagView, Name: "goal", Value: "GROWTH", EventAt: 1},
		{View: features.PersonalizationView, Name: features.EnabledName, Value: "false", EventAt: 2 * day},
	}
	on := fold(t, day, cells)
	off := fold(t, at, cells)
	for _, x := range []struct {
		feature, purpose string
		p                *fund.Profile
		want             view.Status
	}{
		{"person.segment", view.Personalize, off, view.Present},
		{"person.industry", view.Personalize, off, view.PurposeDenied},
		{"person.industry", view.Personalize, on, view.Present},
		{"needs.goals", view.Public, on, view.Present},
		{"tag.goal", view.Personalize, on, view.Present},
		{"tag.goal", view.Personalize, off, view.PurposeDenied},
		{"tag.goal", view.Public, on, view.PurposeDenied},
		{"tag.goal", view.Suitability, off, view.Present},
		{"behaviour.visits", view.Public, on, view.PurposeDenied},
		{"personalization.enabled", view.Personalize, off, view.Present},
	} {
		at := at
		if x.p == on {
			at = day
		}
		if got := one(t, view.Default(), x.p, x.feature, view.Request{At: at, Purpose: x.purpose}); got.Status != x.want {
			t.Errorf("%s for %s: %s, expected %s", x.feature, x.purpose, got.Status, x.want)
		}
	}
	market := features.Cell{View: "market", Name: "index", Value: "7", EventAt: 1}
	if got := one(t, ofBank(t), fold(t, at, append(cells, market)), "market.index", view.Request{At: at, Purpose: view.Public}); got.Status != view.Present {
		t.Errorf("a cell that is about nobody, in a list for everybody: %s", got.Status)
	}
}

// The level holds from its day to the same date a year on, 29 February to 1 March.
func TestTheLevelsYear(t *testing.T) {
	for _, x := range []struct{ on, last, end string }{
		{"2023-05-10", "2024-05-09T23:59:59.999999+08:00", "2024-05-10T00:00:00+08:00"},
		{"2024-02-29", "2025-02-28T23:59:59.999999+08:00", "2025-03-01T00:00:00+08:00"},
	} {
		cells := []features.Cell{{
			View: features.AssessmentView, Name: features.AssessedName, Value: `{"level":"C3","on":"` + x.on + `"}`, EventAt: instant(t, x.on+"T00:00:00+08:00"),
		}}
		end := instant(t, x.end)
		got := one(t, view.Default(), fold(t, instant(t, x.last), cells), "assessment.level", view.Request{At: instant(t, x.last), Purpose: view.Suitability})
		if got.Status != view.Present || got.Value.Text != "C3" || got.To != end || got.From != instant(t, x.on+"T00:00:00+08:00") {
			t.Errorf("%s, the last instant: %+v", x.on, got)
		}
		if got := one(t, view.Default(), fold(t, end, cells), "assessment.level", view.Request{At: end}); got.Status != view.Expired {
			t.Errorf("%s, a year on: %s", x.on, got.Status)
		}
	}
	p := &fund.Profile{Assessment: fund.Assessment{Level: fund.C2}}
	if got := one(t, view.Default(), p, "assessment.level", view.Request{At: day}); got.Status != view.Expired || got.To != 0 {
		t.Errorf("a level of an unknown day: %+v", got)
	}
}

func TestBuiltInFeatures(t *testing.T) {
	at := instant(t, "2024-03-15T10:00:00+08:00")
	cells := []features.Cell{
		{View: features.PersonView, Name: "investor_type", Value: "PROFESSIONAL"},
		{View: features.PersonView, Name: "professional_class", Value: "B"},
		{View: features.PersonView, Name: "professional_until", Value: "2024-03-15"},
		{View: features.PersonView, Name: "elects_ordinary", Value: "false"},
		{View: features.PersonView, Name: "aum_fen", Value: "123"},
		{View: features.PersonView, Name: "open_checks", Value: "KYC"},
		{View: features.NeedsView, Name: features.GoalsName, Value: "GROWTH CASH"},
		{View: features.NeedsView, Name: features.HorizonName, Value: "24"},
		{View: features.AttributeView, Name: "城市", Value: "上海"},
		{View: features.LotView, Name: "a", Value: `{"product_code":"P2","shares":100,"acquired_on":"2024-03-01","cost_fen":500}`, EventAt: 1},
		{View: features.LotView, Name: "b", Value: `{"product_code":"P1","shares":100,"acquired_on":"2024-02-29","cost_fen":700}`, EventAt: 1},
		{View: features.LotView, Name: "c", Value: `{"product_code":"P1","shares":0,"acquired_on":"2020-02-29"}`, EventAt: 1},
	}
	events := []features.Event{
		{ID: "1", Kind: "CLICK", EventAt: at - 40*day, ProductCode: "P1", Attributes: `{"page":"SEARCH"}`},
		{ID: "2", Kind: "DETAIL_VIEW", EventAt: at - 2*day, ProductCode: "P1"},
	}
	p := fold(t, at, cells, events...)
	for feature, want := range map[string]string{
		"person.investor_type": `"PROFESSIONAL"`, "person.professional_class": "EXPIRED", "person.elects_ordinary": "false", "person.pension_account": "NOT_FOUND",
		"person.aum_fen": "123", "person.income_fen": "NOT_FOUND", "person.open_checks": `"KYC"`,
		"needs.goals": `["GROWTH","CASH"]`, "needs.horizon_months": "24", "needs.liquidity_need": "NOT_FOUND",
		"assessment.level": "NOT_FOUND", "personalization.enabled": "NOT_FOUND", "attribute.城市": `"上海"`,
		"holdings.lots": "2", "holdings.products": "2", "holdings.product_codes": `["P1","P2"]`, "holdings.cost_fen": "1200", "holdings.oldest_days": "15",
		"behaviour.visits": "2", "behaviour.visits_30": "1", "behaviour.visits_90": "2", "behaviour.visits_days_since": "2", "behaviour.visits_last_on": `"2024-03-13"`,
		"behaviour.purchases": "NOT_FOUND", "behaviour.open_complaints": "0", "behaviour.journeys": "1", "behaviour.last_page": `"SEARCH"`, "behaviour.refused_on": "NOT_FOUND",
	} {
		cell := one(t, view.Default(), p, feature, view.Request{At: at})
		got := cell.Status.String()
		if cell.Status == view.Present {
			got = string(cell.Value.AppendJSON(nil))
		}
		if got != want {
			t.Errorf("%s: %s, expected %s", feature, got, want)
		}
	}
	for _, r := range []view.Role{view.Manager, view.App} {
		if got := one(t, view.Default(), p, "person.open_checks", view.Request{At: at, Role: r}); got.Status != view.PurposeDenied {
			t.Errorf("open checks shown to %s: %s", r, got.Status)
		}
	}
	if got := one(t, view.Default(), p, "behaviour.visits", view.Request{At: at, Role: view.App}); got.Status != view.PurposeDenied {
		t.Errorf("behaviour shown to the customer: %s", got.Status)
	}
}

func TestPlans(t *testing.T) {
	c := ofBank(t)
	plan, err := c.PlanViews([]string{"salary", "market.index", "tag.children"})
	if err != nil {
		t.Fatal(err)
	}
	want := []view.Ref{{View: "salary", Name: "monthly"}, {View: "salary", Name: "employer"}, {View: "market", Name: "index"}, {View: "tag", Name: "children"}}
	if diff := cmp.Diff(want, plan.Columns()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]view.Type{view.Decimal, view.String, view.Int, view.Int}, plan.Types()); diff != "" {
		t.Error(diff)
	}
	needs := features.HistoryQuery{Views: []features.View{"consent", "market", "personalization", "salary", "tag"}, NoPurchases: true, NoEvents: true}
	if diff := cmp.Diff(needs, plan.Needs()); diff != "" {
		t.Error(diff)
	}
	plan.Columns()[0].Name, plan.Needs().Views[0] = "changed", "changed"
	if plan.Columns()[0].Name != "monthly" || plan.Needs().Views[0] != "consent" {
		t.Error("a plan was changed from outside")
	}
	derived, err := c.PlanViews([]string{"behaviour", "holdings"})
	if err != nil {
		t.Fatal(err)
	}
	if q := derived.Needs(); q.NoEvents || q.NoPurchases || !slices.Contains(q.Views, features.LotView) {
		t.Errorf("behaviour needs %+v", q)
	}
	for _, bad := range [][]string{nil, {"nothing"}, {"nothing.x"}, {"salary.x"}, {"tag."}, {"consent"}, {"salary", "salary.monthly"}, {".x"}} {
		if _, err := c.PlanViews(bad); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if ref, err := view.ParseRef("tag.a.b"); err != nil || ref != (view.Ref{View: "tag", Name: "a.b"}) {
		t.Errorf("%v, %v", ref, err)
	}
}

// A plan of fewer views reads the same cells from only what it says that it needs.
func TestNeedsAreEnough(t *testing.T) {
	at := instant(t, "2024-03-15T10:00:00+08:00")
	all := []features.Cell{
		{View: features.PersonView, Name: "segment", Value: "MASS"},
		{View: features.AttributeView, Name: "x", Value: "y"},
		{View: features.TagView, Name: "children", Value: "2", EventAt: 1},
		{View: features.AssessmentView, Name: features.AssessedName, Value: `{"level":"C3","on":"2024-01-01"}`, EventAt: 1},
		{View: features.LotView, Name: "a", Value: `{"product_code":"P2","shares":100,"acquired_on":"2024-03-01","cost_fen":500}`, EventAt: 1},
		{View: features.PersonalizationView, Name: features.EnabledName, Value: "true"},
		word(fund.ConsentPush, "true", 1), salary("monthly", "1", at),
	}
	events := []features.Event{{ID: "1", Kind: "CLICK", EventAt: at - 1, ProductCode: "P1"}}
	c := ofBank(t)
	for _, names := range [][]string{{"person"}, {"assessment"}, {"personalization"}, {"holdings"}, {"behaviour"}, {"salary"}, {"tag"}, {"attribute.x"}, {"consent.MARKETING_PUSH"}} {
		plan, err := c.PlanViews(names)
		if err != nil {
			t.Fatal(err)
		}
		needs, some := plan.Needs(), []features.Cell(nil)
		for _, x := range all {
			if slices.Contains(needs.Views, x.View) {
				some = append(some, x)
			}
		}
		few := events
		if needs.NoEvents {
			few = nil
		}
		r := &view.Request{At: at, Purpose: fund.ConsentPush}
		if diff := cmp.Diff(plan.Read(fold(t, at, slices.Clone(all), events...), r, nil), plan.Read(fold(t, at, some, few...), r, nil)); diff != "" {
			t.Errorf("%s: %s", names, diff)
		}
	}
}

func TestCheckCell(t *testing.T) {
	c := ofBank(t)
	cell := func(v features.View, name, value string) features.Cell {
		return features.Cell{CustomerID: "c1", View: v, Name: name, Value: value, EventAt: 1}
	}
	gone := cell("salary", "monthly", "")
	gone.Tombstone = true
	for _, good := range []features.Cell{
		cell("salary", "monthly", "1.5"), cell("salary", "monthly", "null"), gone, cell("market", "any", "7"), cell("tag", "children", "2"), cell("tag", "其他", "什么"),
		cell("attribute", "x", ""), cell("person", "segment", "MASS"), cell("lot", "x", "{}"), cell("holdings", "snapshot", "[]"), cell("consent", "X", "true"), cell("assessment", "assessed", "{}"),
	} {
		if err := c.CheckCell(&good); err != nil {
			t.Errorf("%s/%s %s: %v", good.View, good.Name, good.Value, err)
		}
	}
	other := cell("salary", "monthly", "1")
	other.Purpose = "AUDIT"
	for _, x := range []struct {
		cell  features.Cell
		field string
	}{
		{cell("salary", "monthly", `"much"`), "value"},
		{cell("salary", "bonus", "1"), "feature"},
		{cell("nothing", "x", "1"), "view"},
		{cell("behaviour", "visits", "1"), "view"},
		{cell("market", "any", "1.5"), "value"},
		{cell("tag", "children", "two"), "value"},
		{other, "purpose"},
	} {
		refused := (*features.InvalidError)(nil)
		if err := c.CheckCell(&x.cell); !errors.As(err, &refused) || refused.Field != x.field {
			t.Errorf("%s/%s %s: %v, expected an error about the %s", x.cell.View, x.cell.Name, x.cell.Value, err, x.field)
		}
	}
}

func TestReadDoesNotAllocate(t *testing.T) {
	c := ofBank(t)
	at := 20_000 * day
	p := fold(t, at, []features.Cell{
		salary("monthly", "1200.5", at), salary("employer", `"银行"`, at),
		{View: features.TagView, Name: "children", Value: "2", EventAt: at},
		{View: features.PersonView, Name: "segment", Value: "MASS"},
		word("RESEARCH", "true", 1),
	})
	plan, err := c.PlanViews([]string{"salary", "tag.children", "person.segment", "person.aum_fen", "assessment.level", "consent.RESEARCH"})
	if err != nil {
		t.Fatal(err)
	}
	dst, r := make([]view.Cell, 0, 16), &view.Request{At: at}
	if n := testing.AllocsPerRun(100, func() { dst = plan.Read(p, r, dst[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRead(b *testing.B) {
	c := view.Default()
	plan, err := c.PlanViews([]string{"person", "assessment", "needs", "tag.goal"})
	if err != nil {
		b.Fatal(err)
	}
	p := &fund.Profile{Person: fund.Person{Segment: "MASS"}, Assessment: fund.Assessment{Level: fund.C3, On: 20240101}}
	dst, r := []view.Cell(nil), &view.Request{At: 19_900 * day, Purpose: view.Suitability}
	b.ReportAllocs()
	for b.Loop() {
		dst = plan.Read(p, r, dst[:0])
	}
}
