package expectation

import "github.com/fundmatch/fundmatch/matcher/fund"

// Headline returns the template of the headline. It has no slots.
func (w *Wish) Headline(personal bool) string {
	switch {
	case !personal:
		return "expectation.headline.NOT_PERSONALIZED"
	case w.Goal == fund.GoalUnknown:
		return unknownHeadlines[w.voice()]
	}
	return headlines[w.voice()][w.Goal][w.Source]
}

var unknownHeadlines = [voices]string{"expectation.headline.UNKNOWN", "expectation.headline.UNKNOWN.COMPANY"}

// headlines are the templates by whom they speak to, goal and source. Idle cash is a
// company's goal whoever names it; a pension account cannot be one, wherever that comes
// from.
var headlines = func() (t [voices][fund.Goals][Sources]string) {
	for g := fund.Cash; int(g) < fund.Goals; g++ {
		for s := range Source(Sources) {
			name := "expectation.headline." + g.String() + "." + s.String()
			t[forPerson][g][s] = name
			switch g {
			case fund.Treasury:
				t[forCompany][g][s] = name
			case fund.TaxDeferredPension:
				t[forCompany][g][s] = "expectation.headline.TAX_DEFERRED_PENSION.COMPANY"
			default:
				t[forCompany][g][s] = name + ".COMPANY"
			}
		}
	}
	return t
}()

// Reason returns the template that says what the goal rests on, for "why this"; its slots
// are Facts. It is "" where no goal is known.
func (w *Wish) Reason() string {
	switch {
	case w.Goal == fund.GoalUnknown:
		return ""
	case w.Source == FromGroup && w.HorizonMonths > 0 && w.voice() == forPerson:
		return "expectation.reason.GROUP.horizon" // persons are grouped by it too
	}
	return reasons[w.Source][w.voice()]
}

var reasons = func() (t [Sources][voices]string) {
	for s := range Source(Sources) {
		t[s] = [voices]string{"expectation.reason." + s.String(), "expectation.reason." + s.String() + ".COMPANY"}
	}
	return t
}()

// Facts appends what the wish rests on, for managers and for the customer himself: the
// goal, its ground, and the horizon. Of the group it says the age or the industry, never
// a segment of assets.
func (w *Wish) Facts(asOf fund.Date, dst []fund.Evidence) []fund.Evidence {
	if w.Goal != fund.GoalUnknown {
		dst = w.ground(asOf, append(dst, text("GOAL", w.goalLabel(), wordOf(w.Source), asOf)))
	}
	if w.HorizonMonths > 0 {
		dst = append(dst, months("HORIZON", w.HorizonMonths, wordOf(w.HorizonSource), asOf))
	}
	return dst
}

// ground appends the evidence of the inference. The goal's fact stands last in dst.
func (w *Wish) ground(asOf fund.Date, dst []fund.Evidence) []fund.Evidence {
	g := &w.Ground
	switch w.Source {
	case FromTag, FromQuestionnaire:
		if goal := &dst[len(dst)-1]; g.Since != 0 && g.Since <= asOf {
			goal.Window = fund.Window{From: g.Since, To: asOf}
			goal.Stale = int32(asOf.DaysSince(g.Since))
		}
	case FromHoldings:
		dst = append(dst, text("CLASS", classLabels[g.Class], wordOf(w.Source), asOf), ratio("SHARE", g.Share, wordOf(w.Source), asOf))
	case FromBehaviour:
		start := len(dst)
		dst = append(dst, text("CLASS", classLabels[g.Class], wordOf(w.Source), asOf), ratio("SHARE", g.Share, wordOf(w.Source), asOf),
			fund.Evidence{Field: "VIEWS", Unit: fund.UnitCount, Number: int64(g.Views), AsOf: asOf, Source: wordOf(w.Source)},
			fund.Evidence{Field: "VIEW_DAYS", Unit: fund.UnitDays, Number: ViewDays, AsOf: asOf, Source: sourceModel})
		for i := start; i < len(dst); i++ {
			dst[i].Window = fund.Window{From: asOf.AddDays(1 - ViewDays), To: asOf}
		}
	case FromGroup:
		if w.voice() == forCompany {
			return append(dst, text("SEGMENT", "企业客户", sourceCustomer, asOf), text("INDUSTRY", g.Industry.String(), sourceCustomer, asOf),
				months("CYCLE", g.Months, sourceModel, asOf), text("USUAL_NEED", g.Need.String(), sourceModel, asOf))
		}
		if g.Age != AgeUnknown {
			dst = append(dst, text("AGE_BAND", g.Age.String(), sourceCustomer, asOf))
		}
	default: // what he stated rests on his word
	}
	return dst
}

// Where evidence can be looked up.
const (
	sourceCustomer = "CUSTOMER" // what he said, or the bank has on file of him
	sourceModel    = "MODEL"
	sourceProduct  = "PRODUCT"
	sourceNAV      = "NAV"
	sourceComputed = "COMPUTED"
)

// wordOf is the evidence's source of a part of the wish.
func wordOf(s Source) string {
	switch s {
	case Stated:
		return sourceCustomer
	case FromGroup:
		return sourceModel
	default:
		return s.String()
	}
}

func text(field, value, source string, asOf fund.Date) fund.Evidence {
	return fund.Evidence{Field: field, Text: value, AsOf: asOf, Source: source}
}

func months(field string, n int32, source string, asOf fund.Date) fund.Evidence {
	return fund.Evidence{Field: field, Unit: fund.UnitMonths, Number: int64(n), AsOf: asOf, Source: source}
}

func ratio(field string, r fund.Ratio, source string, asOf fund.Date) fund.Evidence {
	return fund.Evidence{Field: field, Unit: fund.UnitRatio, Number: int64(r), AsOf: asOf, Source: source}
}

// goalLabels name the goals to customers.
var goalLabels = [fund.Goals]string{
	"", "日常备用", "稳健收益", "长期增值", "子女教育", "养老", "抵御物价上涨", "购房", "个人养老金", "企业闲置资金",
}

// companyGoals name those goals that mean something else to a company.
var companyGoals = [fund.Goals]string{fund.Education: "员工教育培训", fund.Retirement: "员工养老", fund.House: "购置房产"}

func (w *Wish) goalLabel() string {
	if label := companyGoals[w.Goal]; label != "" && w.voice() == forCompany {
		return label
	}
	return goalLabels[w.Goal]
}

// classLabels name the classes to customers.
var classLabels = [fund.Classes]string{
	"其他产品", "货币基金", "短期债券基金", "债券基金", "债券为主的混合基金", "股票债券均衡的基金", "基金中的基金",
	"股票基金", "指数基金", "海外基金", "基础设施基金", "商品基金", "股票",
}
