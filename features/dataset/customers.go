package dataset

import (
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func customerFormat() *format[CustomerRow] {
	return &format[CustomerRow]{
		name: "customers.csv",
		columns: []string{
			"customer_id", "investor_type", "risk_level",
			"risk_level_source", "risk_assessed_on", "is_lowest_class", "birth_date", "capacity", "professional_class",
			"professional_until", "elects_ordinary", "industry", "branch_id", "manager_id", "segment", "aum_fen",
			"income_fen", "goals", "horizon_months", "liquidity_need", "personalization",
			"qualified_class", "qualified_until", "pension_account", "open_checks",
		},
		required:   3,
		decode:     decodeCustomer,
		encode:     encodeCustomer,
		attributes: func(v *CustomerRow) []fund.Attribute { return v.Attributes },
		key:        func(dst []byte, v *CustomerRow) []byte { return append(dst, v.CustomerID...) },
		keyColumns: []int{0},
		customer:   -1, product: -1,
	}
}

func decodeCustomer(r *row) (v CustomerRow) {
	p := &v.Person
	v.CustomerID = r.id()
	p.InvestorType = code(r, fund.ParseInvestorType, fund.Ordinary, fund.ProfessionalInvestor)
	v.Level.Level = r.riskLevel()
	v.Level.Source = r.levelSource()
	v.Level.AssessedOn = r.factDate()
	p.IsLowestClass = r.answer()
	p.BirthDate = r.date()
	p.Capacity = code(r, fund.ParseCapacity, fund.FullCapacity, fund.NoCapacity)
	p.Professional.Class = r.optionalText()
	p.Professional.Until = r.date()
	p.Professional.ElectsOrdinary = r.answer()
	p.Industry = r.optionalText()
	p.BranchID = r.optionalID()
	p.ManagerID = r.optionalID()
	p.Segment = r.optionalText()
	p.AUM = r.money()
	p.Income = r.money()
	v.Needs.Goals = r.goals()
	v.Needs.HorizonMonths = int32(r.number("months", fund.MaxHorizonMonths))
	v.Needs.Liquidity = code(r, fund.ParseNeed, fund.NeedLow, fund.NeedHigh)
	v.Personalization = r.answer()
	p.Qualified.Class = r.optionalText()
	p.Qualified.Until = r.date()
	p.Pension = r.answer()
	p.OpenChecks, v.NoOpenChecks = r.openChecks()
	v.Attributes = r.attributes(fund.MaxTextLength)
	return v
}

func (r *row) levelSource() LevelSource {
	switch r.take() {
	case "":
		return LevelSourceUnknown
	case "ASSESSED":
		return LevelAssessed
	case "PREDICTED":
		return LevelPredicted
	}
	r.fail(codesOf(LevelAssessed, LevelPredicted))
	return LevelSourceUnknown
}

// noChecks says that no check is open any more; an empty field says nothing.
const noChecks = "NONE"

func (r *row) openChecks() (checks fund.Checks, none bool) {
	s := r.take()
	if s == noChecks {
		return 0, true
	}
	checks, err := fund.ParseChecks(s)
	if err != nil {
		r.fail("words of KYC AML, each once, separated by single spaces, or NONE")
	}
	return checks, false
}

func encodeCustomer(r *record, v *CustomerRow) {
	p := &v.Person
	r.text(v.CustomerID)
	r.text(p.InvestorType.String())
	r.text(v.Level.Level.String())
	r.text(v.Level.Source.String())
	r.date(v.Level.AssessedOn)
	r.text(p.IsLowestClass.String())
	r.date(p.BirthDate)
	r.text(p.Capacity.String())
	r.text(p.Professional.Class)
	r.date(p.Professional.Until)
	r.text(p.Professional.ElectsOrdinary.String())
	r.text(p.Industry)
	r.text(p.BranchID)
	r.text(p.ManagerID)
	r.text(p.Segment)
	r.knownNumber(int64(p.AUM))
	r.knownNumber(int64(p.Income))
	r.text(fund.JoinGoals(v.Needs.Goals))
	r.knownNumber(int64(v.Needs.HorizonMonths))
	r.text(v.Needs.Liquidity.String())
	r.text(v.Personalization.String())
	r.text(p.Qualified.Class)
	r.date(p.Qualified.Until)
	r.text(p.Pension.String())
	if v.NoOpenChecks && p.OpenChecks == 0 {
		r.text(noChecks)
	} else {
		r.text(p.OpenChecks.String())
	}
}

func assessmentFormat() *format[AssessmentRow] {
	return &format[AssessmentRow]{
		name:     "assessments.csv",
		columns:  []string{"customer_id", "assessed_at", "risk_level", "questionnaire_version", "channel"},
		required: 3,
		decode: func(r *row) (v AssessmentRow) {
			v.CustomerID = r.id()
			v.AssessedAt = r.requiredInstant()
			v.Level = requiredCode(r, fund.ParseRiskLevel, fund.C1, fund.C5)
			v.Questionnaire = r.optionalText()
			v.Channel = r.optionalText()
			return v
		},
		encode: func(r *record, v *AssessmentRow) {
			r.text(v.CustomerID)
			r.instant(v.AssessedAt)
			r.text(v.Level.String())
			r.text(v.Questionnaire)
			r.text(v.Channel)
		},
		key: func(dst []byte, v *AssessmentRow) []byte {
			return keyNumber(keyText(dst, v.CustomerID), int64(v.AssessedAt))
		},
		keyColumns: []int{0, 1},
		customer:   0, product: -1,
	}
}

func consentFormat() *format[ConsentRow] {
	return &format[ConsentRow]{
		name:     "consents.csv",
		columns:  []string{"customer_id", "purpose", "granted", "event_at", "channel"},
		required: 4,
		decode: func(r *row) (v ConsentRow) {
			v.CustomerID = r.id()
			v.Purpose = r.requiredLabel(MaxLabel)
			v.Granted = r.flag()
			v.EventAt = r.requiredInstant()
			v.Channel = r.optionalText()
			return v
		},
		encode: func(r *record, v *ConsentRow) {
			r.text(v.CustomerID)
			r.text(v.Purpose)
			r.flag(v.Granted)
			r.instant(v.EventAt)
			r.text(v.Channel)
		},
		key: func(dst []byte, v *ConsentRow) []byte {
			return keyNumber(keyText(keyText(dst, v.CustomerID), v.Purpose), int64(v.EventAt))
		},
		keyColumns: []int{0, 1, 3},
		customer:   0, product: -1,
	}
}

func tagFormat() *format[TagRow] {
	return &format[TagRow]{
		name:     "tags.csv",
		columns:  []string{"customer_id", "name", "value", "event_at", "known_at", "valid_to", "source", "purpose"},
		required: 4,
		decode: func(r *row) (v TagRow) {
			v.CustomerID = r.id()
			v.Name = r.requiredLabel(MaxLabel)
			v.Value = r.requiredText()
			v.EventAt = r.requiredInstant()
			v.KnownAt, v.ValidTo = r.knownAndValid(v.EventAt)
			v.Source = r.optionalText()
			v.Purpose = r.optionalText()
			return v
		},
		encode: func(r *record, v *TagRow) {
			r.text(v.CustomerID)
			r.text(v.Name)
			r.text(v.Value)
			r.instant(v.EventAt)
			r.instant(v.KnownAt)
			r.instant(v.ValidTo)
			r.text(v.Source)
			r.text(v.Purpose)
		},
		key: func(dst []byte, v *TagRow) []byte {
			return keyNumber(keyText(keyText(dst, v.CustomerID), v.Name), int64(v.EventAt))
		},
		keyColumns: []int{0, 1, 3},
		customer:   0, product: -1,
	}
}
