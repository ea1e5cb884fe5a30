package dataset

import (
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func productFormat() *format[fund.Product] {
	return &format[fund.Product]{
		name: "products.csv",
		columns: []string{
			"product_code", "name", "product_type", "risk_grade",
			"share_class", "parent_code", "issuer", "issuer_risk_grade", "kind", "status", "pool_from", "pool_to",
			"launched_on", "closed_until", "next_open_on", "min_purchase_fen", "day_limit_fen", "lockup_days",
			"subscription_ladder", "discount_pct", "management_bps", "custody_bps", "service_bps", "redemption_ladder",
			"manager_name", "manager_since", "size_fen", "goals", "themes", "benchmark", "due_diligence_id", "key_facts_version",
		},
		required:   4,
		decode:     decodeProduct,
		encode:     encodeProduct,
		attributes: func(p *fund.Product) []fund.Attribute { return p.Content.Attributes },
		key:        func(dst []byte, p *fund.Product) []byte { return append(dst, p.Code...) },
		keyColumns: []int{0},
		customer:   -1, product: -1,
	}
}

func decodeProduct(r *row) fund.Product {
	var p fund.Product
	// missing notes that the value last read was not given.
	missing := func(f fund.Field) {
		if r.absent() {
			p.Missing = p.Missing.With(f)
		}
	}
	p.Code = r.id()
	p.Name = r.optionalText()
	p.Type = r.optionalText()
	p.Grades.Bank = requiredCode(r, fund.ParseRiskGrade, fund.R1, fund.R5)
	p.ShareClass = r.optionalText()
	p.ParentCode = r.optionalID()
	p.Parties.Issuer = r.optionalText()
	missing(fund.FieldIssuer)
	p.Grades.Issuer = r.riskGrade()
	missing(fund.FieldIssuerGrade)
	decodeListing(r, &p.Listing, missing)
	decodeTerms(r, &p.Terms, missing)
	decodeFees(r, &p.Fees, missing)
	p.Parties.ManagerName = r.optionalText()
	missing(fund.FieldManager)
	p.Parties.ManagerSince = r.date()
	p.Parties.Size = r.money()
	p.Content.Goals = fund.SetOf(r.goals())
	missing(fund.FieldGoals)
	p.Content.Themes = r.words(fund.MaxThemes)
	missing(fund.FieldThemes)
	p.Content.Benchmark = r.optionalText()
	p.Listing.DueDiligenceID = r.optionalText()
	p.Listing.KeyFactsVersion = r.optionalText()
	p.Content.Attributes = r.attributes(MaxProductAttribute)
	return p
}

func decodeListing(r *row, l *fund.Listing, missing func(fund.Field)) {
	l.Kind = code(r, fund.ParseKind, fund.PublicFund, fund.InsuranceProduct)
	missing(fund.FieldKind)
	l.Status = code(r, fund.ParseStatus, fund.Subscription, fund.Suspended)
	l.PoolFrom = r.date()
	l.PoolTo = r.date()
	if l.PoolFrom == 0 {
		missing(fund.FieldPoolPeriod)
	}
	if l.PoolTo != 0 && l.PoolTo <= l.PoolFrom {
		r.fail("a date after pool_from " + l.PoolFrom.String())
	}
}

func decodeTerms(r *row, t *fund.Terms, missing func(fund.Field)) {
	t.LaunchedOn = r.date()
	missing(fund.FieldLaunchedOn)
	t.ClosedUntil = r.date()
	t.NextOpenOn = r.date()
	missing(fund.FieldNextOpen)
	t.MinPurchase = r.money()
	missing(fund.FieldMinPurchase)
	t.DayLimit = r.money()
	missing(fund.FieldDayLimit)
	t.LockupDays = r.days(MaxLockupDays)
	missing(fund.FieldLockup)
}

func decodeFees(r *row, f *fund.FeeSchedule, missing func(fund.Field)) {
	var err error
	f.Subscription, err = fund.ParseSubscriptionLadder(r.take())
	missing(fund.FieldSubscriptionLadder)
	if err != nil {
		r.fail("a ladder such as 100000000:150;500000000:100;:100000f whose bounds rise and whose last step has none")
	}
	f.DiscountPct = int32(r.number("percent taken off the subscription fee", 100))
	f.Management = r.basisPoints()
	missing(fund.FieldManagementFee)
	f.Custody = r.basisPoints()
	f.Service = r.basisPoints()
	missing(fund.FieldServiceFee)
	f.Redemption, err = fund.ParseRedemptionLadder(r.take())
	missing(fund.FieldRedemptionLadder)
	if err != nil {
		r.fail("a ladder such as 7:150;30:100;:0 whose bounds rise and whose last step has none")
	}
}

func encodeProduct(r *record, p *fund.Product) {
	given := func(f fund.Field) bool { return !p.Missing.Has(f) }
	r.text(p.Code)
	r.text(p.Name)
	r.text(p.Type)
	r.text(p.Grades.Bank.String())
	r.text(p.ShareClass)
	r.text(p.ParentCode)
	r.text(p.Parties.Issuer)
	r.text(p.Grades.Issuer.String())
	r.text(p.Listing.Kind.String())
	r.text(p.Listing.Status.String())
	r.date(p.Listing.PoolFrom)
	r.date(p.Listing.PoolTo)
	r.date(p.Terms.LaunchedOn)
	r.date(p.Terms.ClosedUntil)
	r.date(p.Terms.NextOpenOn)
	r.numberIf(given(fund.FieldMinPurchase), int64(p.Terms.MinPurchase))
	r.numberIf(given(fund.FieldDayLimit), int64(p.Terms.DayLimit))
	r.numberIf(given(fund.FieldLockup), int64(p.Terms.LockupDays))
	r.text(fund.FormatSubscriptionLadder(p.Fees.Subscription))
	r.knownNumber(int64(p.Fees.DiscountPct))
	r.numberIf(given(fund.FieldManagementFee), int64(p.Fees.Management))
	r.knownNumber(int64(p.Fees.Custody))
	r.numberIf(given(fund.FieldServiceFee), int64(p.Fees.Service))
	r.text(fund.FormatRedemptionLadder(p.Fees.Redemption))
	r.text(p.Parties.ManagerName)
	r.date(p.Parties.ManagerSince)
	r.knownNumber(int64(p.Parties.Size))
	r.text(fund.JoinGoals(p.Content.Goals.Goals()))
	r.text(strings.Join(p.Content.Themes, " "))
	r.text(p.Content.Benchmark)
	r.text(p.Listing.DueDiligenceID)
	r.text(p.Listing.KeyFactsVersion)
}
