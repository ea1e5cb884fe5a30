package decisiontable

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// ErrCase says that a case does not read; it names the value.
var ErrCase = errors.New("decision table")

// reader remembers the first value that does not read.
type reader struct{ err error }

// of reads a value; "none" and nothing are unknown.
func of[T any](r *reader, parse func(string) (T, error), s string) T {
	if s == "none" {
		s = ""
	}
	v, err := parse(s)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%w: %w", ErrCase, err)
	}
	return v
}

func text(s string) (string, error) { return s, nil }

func number(s string) (int32, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return int32(n), err
}

// Fen is the amount; an amount that people would not write so is an error.
func (y Yuan) Fen() (fund.Money, error) {
	if y == "" || y == "none" {
		return 0, nil
	}
	whole, part, dotted := strings.Cut(string(y), ".")
	if dotted && len(part) != 2 {
		return 0, fmt.Errorf("%w: amount %q, expected yuan, or yuan and two digits of fen", ErrCase, string(y))
	}
	n, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: amount %q", ErrCase, string(y))
	}
	return fund.Money(n), nil
}

func (r *reader) fen(y Yuan) fund.Money {
	m, err := y.Fen()
	if err != nil && r.err == nil {
		r.err = err
	}
	return m
}

func (c *Customer) profile(r *reader) *fund.Profile {
	p := &fund.Profile{
		CustomerID:      CustomerID,
		PredictedLevel:  of(r, fund.ParseRiskLevel, c.Predicted),
		Personalization: of(r, fund.ParseAnswer, c.Personalization),
		Assessment:      fund.Assessment{Level: of(r, fund.ParseRiskLevel, c.Level), On: of(r, fund.ParseDate, c.Assessed)},
		Person:          c.person(r),
		Needs: fund.StatedNeeds{
			Goals:         of(r, fund.ParseGoals, c.Goals),
			HorizonMonths: of(r, number, c.Horizon),
			Liquidity:     of(r, fund.ParseNeed, c.Need),
		},
	}
	if p.Assessment.Level == fund.LevelUnknown {
		p.Assessment.On = 0
	}
	for _, h := range c.History {
		p.Assessments = append(p.Assessments, fund.Assessed{At: of(r, fund.ParseInstant, h.At), Level: of(r, fund.ParseRiskLevel, h.Level)})
	}
	for _, l := range c.Lots {
		p.Lots = append(p.Lots, fund.Lot{
			ProductCode: l.Product, Shares: fund.Shares(l.Shares), AcquiredOn: of(r, fund.ParseDate, l.Since), Cost: r.fen(l.Cost),
		})
	}
	return p
}

func (c *Customer) person(r *reader) fund.Person {
	p := fund.Person{
		InvestorType: of(r, fund.ParseInvestorType, c.Type),
		BirthDate:    of(r, fund.ParseDate, c.Born),
		// NONE is a capacity here, so that only the lower-case word takes it away.
		Capacity:      of(r, fund.ParseCapacity, c.Capacity),
		IsLowestClass: of(r, fund.ParseAnswer, c.Lowest),
		Segment:       of(r, text, c.Segment),
		BranchID:      BranchID,
		ManagerID:     ManagerID,
		AUM:           r.fen(c.Assets),
		Income:        r.fen(c.Income),
		Professional: fund.Professional{
			Class:          of(r, text, c.ProfessionalClass),
			Until:          of(r, fund.ParseDate, c.ProfessionalUntil),
			ElectsOrdinary: of(r, fund.ParseAnswer, c.ElectsOrdinary),
		},
		Qualified: fund.Qualified{Class: of(r, text, c.Qualified), Until: of(r, fund.ParseDate, c.QualifiedUntil)},
		Pension:   of(r, fund.ParseAnswer, c.Pension),
	}
	for _, check := range c.Checks {
		p.OpenChecks |= of(r, fund.ParseChecks, check)
	}
	return p
}

func (c *Customer) events(r *reader) (out []fund.Event) {
	for i := range c.Said {
		w := &c.Said[i]
		e := fund.Event{
			Kind: of(r, fund.ParseEventKind, w.Kind), At: of(r, fund.ParseInstant, w.At), ProductCode: w.Product,
			About: w.About, Until: of(r, fund.ParseDate, w.Until), Amount: r.fen(w.Amount), Cost: r.fen(w.Cost), Closed: w.Closed,
		}
		for range max(w.Times, 1) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) })
	return out
}

// fields reads names of facts that the bank did not give.
func (r *reader) fields(names string) (set fund.FieldSet) {
	known := []fund.Field{fund.FieldSubscriptionLadder, fund.FieldRedemptionLadder, fund.FieldServiceFee, fund.FieldManagementFee}
	for _, name := range strings.Fields(names) {
		i := slices.IndexFunc(known, func(f fund.Field) bool { return f.String() == name })
		if i < 0 {
			r.err = fmt.Errorf("%w: missing %q", ErrCase, name)
			return set
		}
		set = set.With(known[i])
	}
	return set
}

func (c *Product) code() string {
	if c.Code == "" {
		return Code
	}
	return c.Code
}

func (c *Product) product(r *reader) fund.Product {
	p := fund.Product{
		Missing: r.fields(c.Missing),
		Code:    c.code(), ParentCode: of(r, text, c.Fund), Name: "测试基金" + c.Code, Type: of(r, text, c.Type), ShareClass: of(r, text, c.ShareClass),
		Grades:  fund.Grades{Bank: of(r, fund.ParseRiskGrade, c.Grade), Issuer: of(r, fund.ParseRiskGrade, c.IssuerGrade)},
		Parties: fund.Parties{Issuer: of(r, text, c.Issuer)},
		Content: fund.Content{Goals: fund.SetOf(of(r, fund.ParseGoals, c.Goals)), Themes: strings.Fields(of(r, text, c.Themes))},
	}
	p.Listing = fund.Listing{
		Kind: of(r, fund.ParseKind, c.Kind), Status: of(r, fund.ParseStatus, c.Status),
		PoolFrom: of(r, fund.ParseDate, c.PoolFrom), PoolTo: of(r, fund.ParseDate, c.PoolTo),
		DueDiligenceID: of(r, text, c.DueDiligence), KeyFactsVersion: of(r, text, c.KeyFacts),
	}
	p.Terms = fund.Terms{
		ClosedUntil: of(r, fund.ParseDate, c.ClosedUntil), NextOpenOn: of(r, fund.ParseDate, c.NextOpen),
		LockupDays: of(r, number, c.Lockup), LaunchedOn: of(r, fund.ParseDate, c.Launched),
		MinPurchase: fund.Money(of(r, number, c.MinPurchase)), DayLimit: r.fen(c.DayLimit),
	}
	p.Fees = fund.FeeSchedule{
		Subscription: of(r, fund.ParseSubscriptionLadder, c.Subscription), Redemption: of(r, fund.ParseRedemptionLadder, c.Redemption),
		Service: fund.BasisPoints(of(r, number, c.Service)), Management: fund.BasisPoints(of(r, number, c.Management)),
	}
	return p
}
