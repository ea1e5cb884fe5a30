package behaviour

import "github.com/fundmatch/fundmatch/matcher/fund"

// Source is the source of every fact here: the bank's own records of the customer.
const Source = "BEHAVIOUR"

// MaxFacts is the number of facts that there are at most: a list with room for so many
// does not grow.
const MaxFacts = 58

// Facts appends the features that are known as evidence, in one fixed order. They are for
// the manager and for models: no customer is shown what he lost, how he behaves or whether
// he may leave. Figures that rest on NAVs are as old as the oldest of those.
func Facts(c *fund.Conduct, dst []fund.Evidence) []fund.Evidence {
	w := factWriter{dst: dst, day: c.At.Date()}
	w.activity(&c.Purchases, &purchaseFields)
	w.activity(&c.Redemptions, &redemptionFields)
	w.activity(&c.Visits, &visitFields)
	w.activity(&c.Contacts, &contactFields)
	w.portfolio(c)
	w.losses(&c.Losses, staleOf(c))
	w.habits(c)
	return w.dst
}

// activityFields name the facts of one kind of act.
type activityFields struct{ last, all, in30, in90, in365, amount, amount365 string }

var (
	purchaseFields = activityFields{
		"LAST_PURCHASE_ON", "PURCHASES", "PURCHASES_30", "PURCHASES_90", "PURCHASES_365", "PURCHASED", "PURCHASED_365",
	}
	redemptionFields = activityFields{
		"LAST_REDEMPTION_ON", "REDEMPTIONS", "REDEMPTIONS_30", "REDEMPTIONS_90", "REDEMPTIONS_365", "REDEEMED", "REDEEMED_365",
	}
	visitFields   = activityFields{last: "LAST_VISIT_ON", all: "VISITS", in30: "VISITS_30", in90: "VISITS_90", in365: "VISITS_365"}
	contactFields = activityFields{
		last: "LAST_CONTACT_ON", all: "CONTACTS", in30: "CONTACTS_30", in90: "CONTACTS_90", in365: "CONTACTS_365",
	}
)

// factWriter appends facts of a day.
type factWriter struct {
	dst []fund.Evidence
	day fund.Date
}

func (w *factWriter) add(field string, unit fund.Unit, number int64) *fund.Evidence {
	w.dst = append(w.dst, fund.Evidence{Field: field, Unit: unit, Number: number, AsOf: w.day, Source: Source})
	return &w.dst[len(w.dst)-1]
}

func (w *factWriter) text(field, text string) {
	if text != "" {
		w.add(field, fund.UnitNone, 0).Text = text
	}
}

func (w *factWriter) date(field string, on fund.Date) {
	if on != 0 {
		w.add(field, fund.UnitDate, int64(on))
	}
}

// span appends a number that was counted or summed over the last so many days.
func (w *factWriter) span(field string, unit fund.Unit, number int64, from fund.Date) {
	w.add(field, unit, number).Window = fund.Window{From: from, To: w.day}
}

func (w *factWriter) measure(field string, m fund.Measure) {
	if m.OK {
		w.add(field, fund.UnitRatio, int64(m.Value))
	}
}

// valued appends a figure that rests on NAVs.
func (w *factWriter) valued(field string, unit fund.Unit, number int64, stale int32) {
	w.add(field, unit, number).Stale = stale
}

func (w *factWriter) valuedMeasure(field string, m fund.Measure, stale int32) {
	if m.OK {
		w.valued(field, fund.UnitRatio, int64(m.Value), stale)
	}
}

// count appends a number that is there.
func (w *factWriter) count(field string, n int32) {
	if n > 0 {
		w.add(field, fund.UnitCount, int64(n))
	}
}

// activity appends nothing of what is not on record: that he never came may as well mean
// that nobody noted it.
func (w *factWriter) activity(a *fund.Activity, f *activityFields) {
	if a.Count == 0 {
		return
	}
	d365 := w.day.AddDays(-364)
	w.date(f.last, a.Last)
	w.add(f.all, fund.UnitCount, int64(a.Count))
	w.span(f.in30, fund.UnitCount, int64(a.Count30), w.day.AddDays(-29))
	w.span(f.in90, fund.UnitCount, int64(a.Count90), w.day.AddDays(-89))
	w.span(f.in365, fund.UnitCount, int64(a.Count365), d365)
	if f.amount != "" && a.Amount > 0 {
		w.add(f.amount, fund.UnitFen, int64(a.Amount))
		w.span(f.amount365, fund.UnitFen, int64(a.Amount365), d365)
	}
}

// staleOf returns the age of the oldest NAV that a position was valued with.
func staleOf(c *fund.Conduct) int32 {
	oldest := fund.Date(0)
	for i := range c.Positions {
		if on := c.Positions[i].ValuedOn; on != 0 && (oldest == 0 || on < oldest) {
			oldest = on
		}
	}
	if oldest == 0 {
		return 0
	}
	return int32(c.At.Date().DaysSince(oldest))
}

func (w *factWriter) portfolio(c *fund.Conduct) {
	p, stale := &c.Portfolio, staleOf(c)
	if p.Value > 0 {
		w.valued("PORTFOLIO_VALUE", fund.UnitFen, int64(p.Value), stale)
	}
	if p.Cost > 0 {
		w.add("PORTFOLIO_COST", fund.UnitFen, int64(p.Cost))
	}
	w.valuedMeasure("OPEN_RESULT", p.Result, stale)
	w.valuedMeasure("LARGEST_FUND", p.Largest, stale)
	w.valuedMeasure("HHI_FUND", p.HHIFund, stale)
	w.valuedMeasure("HHI_ISSUER", p.HHIIssuer, stale)
	w.valuedMeasure("HHI_THEME", p.HHITheme, stale)
	w.valuedMeasure("ABOVE_LEVEL", p.AboveLevel, stale)
	w.valuedMeasure("GRADE_GAP", p.GradeGap, stale)
	w.measure("NEW_ISSUES", p.NewIssues)
	if p.HoldingDays >= 0 {
		w.valued("HOLDING_DAYS", fund.UnitDays, int64(p.HoldingDays), stale)
	}
	if p.Turnover.OK {
		w.valued("TURNOVER", fund.UnitRatio, int64(p.Turnover.Value), stale)
		w.dst[len(w.dst)-1].Window = fund.Window{From: w.day.AddDays(-364), To: w.day}
	}
}

func (w *factWriter) losses(l *fund.Losses, stale int32) {
	if l.Open > 0 {
		w.valued("OPEN_LOSS", fund.UnitFen, int64(l.Open), stale)
	}
	if l.Worst.OK {
		w.valuedMeasure("WORST_RESULT", l.Worst, stale)
		w.text("WORST_PRODUCT", l.WorstCode)
	}
	if l.RealisedOK {
		w.add("REALISED_RESULT", fund.UnitFen, int64(l.Realised))
		w.add("SOLD_AT_LOSS", fund.UnitCount, int64(l.SoldAtLoss))
	}
	w.measure("FALL_BORNE", l.Borne)
	w.count("SOLD_IN_FALL", l.SoldInFall)
	w.count("KEPT_IN_FALL", l.KeptInFall)
	w.count("ADDED_IN_FALL", l.AddedInFall)
	w.count("SILENT_AFTER_FALL", l.SilentInFall)
}

func (w *factWriter) habits(c *fund.Conduct) {
	h := &c.Habits
	w.text("CHANNEL", h.Channel)
	if h.Churn != fund.BandUnknown {
		w.text("CHURN", h.Churn.String())
	}
	if h.Postponements > 0 {
		w.span("POSTPONEMENTS_365", fund.UnitCount, int64(h.Postponements), w.day.AddDays(-364))
	}
	w.text("LAST_PAGE", h.Page)
	if h.MeanDwell > 0 {
		w.span("DWELL_SECONDS_90", fund.UnitCount, int64(h.MeanDwell), w.day.AddDays(-89))
	}
	w.text("NEXT_STEP", h.Next.String())
	w.date("LAST_SEEN_ON", h.LastSeen)
	if m := busiest(&h.Season); m > 0 {
		w.add("BUSIEST_MONTH", fund.UnitCount, int64(m))
	}
	w.count("OPEN_COMPLAINTS", c.Complaints)
	w.date("REFUSED_ON", c.Refused.At.Date())
	w.text("REFUSED_FOR", c.Refused.Reason)
	w.date("REFUSED_UNTIL", c.Refused.Until)
}

// seasonPurchases is how many purchases it takes before a month says something.
const seasonPurchases = 4

// busiest returns the month, 1 to 12, in which he bought most often; 0: he bought too
// rarely, or no month stands out.
func busiest(season *[12]int32) int {
	var all, most int32
	month, tied := 0, false
	for i, n := range season {
		all += n
		switch {
		case n > most:
			most, month, tied = n, i+1, false
		case n == most:
			tied = true
		}
	}
	if all < seasonPurchases || tied {
		return 0
	}
	return month
}
