package eligibility

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// highRiskSale are S05's parameters.
type highRiskSale struct {
	FromGrade  fund.RiskGrade // the lowest that counts as high risk
	ThinkHours int            // from the warning to the order
}

func (h highRiskSale) install(e *Edition) { e.highRisk = h }

func readHighRisk(in *reader) setting {
	return highRiskSale{FromGrade: in.grade("from_grade"), ThinkHours: in.number("think_hours", 0, 240)}
}

// bookKinds are the kinds of products that the NFRA's book holds for (S11).
type bookKinds [fund.InsuranceProduct + 1]bool

func (b bookKinds) install(e *Edition) { e.nfraKinds = b }

func readBooks(in *reader) setting {
	var kinds bookKinds
	for _, word := range in.words("nfra_kinds", len(kinds)) {
		kind, err := fund.ParseKind(word)
		if err != nil || kind == fund.KindUnknown || kind == fund.PublicFund {
			in.fail("nfra_kinds", word, "kinds of products other than PUBLIC_FUND")
			continue
		}
		kinds[kind] = true
	}
	if !kinds[fund.OwnProduct] {
		in.fail("nfra_kinds", "", "OWN among them")
	}
	return kinds
}

// tests are S13's parameters.
type tests struct {
	PerDay, PerYear int // assessments that count at most
	JumpLevels      int // so many levels at once are a jump
	JumpDays        int // so long after a jump a purchase is reviewed
}

func (t tests) install(e *Edition) { e.tests = t }

func readTests(in *reader) setting {
	return tests{
		PerDay: in.number("per_day", 1, 2), PerYear: in.number("per_year", 1, 8),
		JumpLevels: in.number("jump_levels", 1, 4), JumpDays: in.number("jump_days", 0, 90),
	}
}

// Means are S15's parameters: what an amount may take of a customer's means.
type Means struct {
	AssetsPercent int // of his assets with the bank, where they are known
	IncomePercent int // of a year's income, where only that is known
	WindowDays    int // orders of so many days count together: split orders are one
}

func (m Means) install(e *Edition) { e.means = m }

func readMeans(in *reader) setting {
	return Means{
		AssetsPercent: in.number("assets_percent", 1, 100), IncomePercent: in.number("income_percent", 1, 300),
		WindowDays: in.number("window_days", 1, 365),
	}
}

// channels are C01's: the bank's own.
type channels [fund.Branch + 1]bool

func (c channels) install(e *Edition) { e.channels = c }

func readChannels(in *reader) setting {
	var own channels
	for _, word := range in.words("channels", len(own)) {
		ch, err := fund.ParseChannel(word)
		if err != nil || ch == fund.ChannelUnknown {
			in.fail("channels", word, "APP or BRANCH")
			continue
		}
		own[ch] = true
	}
	return own
}

// readEvidence: opinions, warnings, confirmations and recordings are kept twenty years at
// least (C06; 适当性办法 32). The program erases none; the bank's own systems go by the pack.
func readEvidence(in *reader) setting { return keptFor(in, 20) }

// readLogs: an assessment before sensitive processing, and its logs, are kept three years at
// least (A08; 个保法 56).
func readLogs(in *reader) setting { return keptFor(in, 3) }

func keptFor(in *reader, years int) setting {
	in.number("keep_years", years, 100)
	return nothing{}
}

// qualified are P01's parameters.
type qualified struct {
	MinPurchase  fund.Money
	CoolingHours int
}

func (q qualified) install(e *Edition) { e.qualified = q }

func readQualified(in *reader) setting {
	return qualified{
		MinPurchase:  fund.Money(in.number("min_purchase_fen", 0, 100_000_000_000)),
		CoolingHours: in.number("cooling_hours", 24, 240),
	}
}

// forbiddenTags are what no tag may be about (A09).
type forbiddenTags []string

func (f forbiddenTags) install(e *Edition) { e.forbiddenTags = f }

func readForbiddenTags(in *reader) setting {
	words := in.words("tags", 64)
	for _, law := range []string{"religion", "ethnicity", "health", "political"} {
		if !slices.Contains(words, law) {
			in.fail("tags", joinWords(words), "%s among them", law)
		}
	}
	return forbiddenTags(words)
}

// feeCaps are F01's parameters: the highest lawful rates by class.
type feeCaps struct {
	Subscription  [fund.Classes]fund.BasisPoints
	Service       [fund.Classes]fund.BasisPoints
	ExistingFrom  fund.Date // funds launched before it are existing ones
	ExistingUntil fund.Date // and keep their fees until this day
}

func (c *feeCaps) install(e *Edition) { e.feeCaps = *c }

func readFeeCaps(in *reader) setting {
	c := &feeCaps{ExistingFrom: in.date("existing_before"), ExistingUntil: in.date("existing_until")}
	for _, t := range [2]struct {
		name string
		caps *[fund.Classes]fund.BasisPoints
	}{{"subscription_bps", &c.Subscription}, {"service_bps", &c.Service}} {
		class := 1
		in.table(t.name, classNames(), func(place, _ string, v any) string {
			t.caps[class] = fund.BasisPoints(in.within(place, v, 0, 150))
			class++
			return itoa(t.caps[class-1])
		})
		// What a product is made of is unknown: the highest cap, so that no doubt quarantines it.
		t.caps[fund.ClassUnknown] = slices.Max(t.caps[:])
	}
	return c
}

// exitFloors are F02's parameters: the least redemption fee while held less than Below days.
type exitFloors struct {
	Floors []fund.RedemptionTier
	// Exempt are the classes whose funds, held so many days, may charge individuals less.
	Exempt     [fund.Classes]bool
	ExemptDays int32
	// ExistingFrom and ExistingUntil: as F01's.
	ExistingFrom, ExistingUntil fund.Date
}

func (f *exitFloors) install(e *Edition) { e.exitFloors = *f }

func readExitFloors(in *reader) setting {
	f := &exitFloors{ExistingFrom: in.date("existing_before"), ExistingUntil: in.date("existing_until")}
	floors := in.words("floors", 8)
	for _, word := range floors {
		tiers, err := fund.ParseRedemptionLadder(word + ";:0")
		if err != nil || len(tiers) != 2 || len(f.Floors) > 0 && tiers[0].Below <= f.Floors[len(f.Floors)-1].Below {
			in.fail("floors", word, "days:basis points, days rising")
			continue
		}
		f.Floors = append(f.Floors, tiers[0])
	}
	f.ExemptDays = int32(in.number("exempt_after_days", 7, 180))
	classes := classNames()
	for _, word := range in.words("exempt_classes", len(classes)) {
		i := slices.Index(classes, word)
		if i < 0 {
			in.fail("exempt_classes", word, "classes of %v", classes)
			continue
		}
		f.Exempt[i+1] = true
	}
	return f
}

// serviceFee is F03's parameter.
type serviceFee struct{ Days int }

func (s serviceFee) install(e *Edition) { e.serviceFee = s }

func readServiceFee(in *reader) setting { return serviceFee{Days: in.number("days", 1, 365)} }

// Switching are K01's parameters.
type Switching struct {
	WindowDays    int // a purchase so many days after a redemption, or before it, is one switch
	YoungDays     int // a lot held less is not sold for another without review
	SwitchesAYear int // more are reviewed
	OriginDays    int // an order so long after an exposure is the firm's
	TurnoverTimes int // yearly turnover, in hundredths, from which on a switch is reviewed
	CostEquityBps int // yearly cost over equity from which on a switch is reviewed
}

func (s Switching) install(e *Edition) { e.switching = s }

func readSwitching(in *reader) setting {
	return Switching{
		WindowDays: in.number("window_days", 1, 90), YoungDays: in.number("young_days", 7, 730),
		SwitchesAYear: in.number("switches_a_year", 0, 12), OriginDays: in.number("origin_days", 7, 365),
		TurnoverTimes: in.number("turnover_percent", 50, 600), CostEquityBps: in.number("cost_to_equity_bps", 50, 2_000),
	}
}

// Concentration are K04's parameters: the largest share of what he has with the bank, in
// percent by level; the unknown level has the lowest class's.
type Concentration struct {
	Product, Issuer, Theme [fund.C5 + 1]int
}

func (c *Concentration) install(e *Edition) { e.concentration = *c }

func readConcentration(in *reader) setting {
	c := &Concentration{}
	for _, t := range [3]struct {
		name   string
		limits *[fund.C5 + 1]int
	}{{"product_percent", &c.Product}, {"issuer_percent", &c.Issuer}, {"theme_percent", &c.Theme}} {
		level := fund.C1
		in.table(t.name, []string{"C1", "C2", "C3", "C4", "C5"}, func(place, _ string, v any) string {
			t.limits[level] = in.within(place, v, 1, 100)
			level++
			return itoa(t.limits[level-1])
		})
		t.limits[fund.LevelUnknown] = t.limits[fund.C1]
	}
	return c
}
