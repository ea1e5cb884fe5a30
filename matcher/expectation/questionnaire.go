package expectation

import "github.com/fundmatch/fundmatch/matcher/fund"

// The tags that are read. GoalTag may come from anywhere; of the next three only the
// answers of a questionnaire count, since nobody else can know them.
const (
	GoalTag     = "goal"           // a goal's code
	HorizonTag  = "horizon_months" // 1 to fund.MaxHorizonMonths, in digits
	NeedTag     = "liquidity_need" // LOW, MEDIUM, HIGH
	AttitudeTag = "loss_attitude"  // SELL, HOLD, ADD
	ThemeTag    = "theme_interest" // a theme, or several between spaces or commas
)

// QuestionnaireSource is the source of a tag that is an answer in a questionnaire.
const QuestionnaireSource = "QUESTIONNAIRE"

// Attitude is what he says that he would do in a fall.
type Attitude uint8

// The attitudes of the questionnaire.
const (
	AttitudeUnknown Attitude = iota
	WouldSell
	WouldHold
	WouldAdd
	attitudeCount
)

// Attitudes is the number of attitudes, AttitudeUnknown included.
const Attitudes = int(attitudeCount)

var attitudeNames = [Attitudes]string{"", "SELL", "HOLD", "ADD"}

// String returns the attitude's code, the value of the questionnaire's tag.
func (a Attitude) String() string { return attitudeNames[a] }

// labels is what the tags say at an instant.
type labels struct {
	goal     fund.Goal
	source   Source // of the goal: FromQuestionnaire or FromTag; FromGroup: no tag names one
	since    fund.Date
	months   int32
	need     fund.Need
	attitude Attitude
	theme    string
	until    fund.Instant // the next begin or end of a tag that may be read
}

// readLabels reads the tags that say what he did not say himself, and that may be used.
func readLabels(p *fund.Profile, at fund.Instant) labels {
	l := labels{until: fund.Forever}
	for i := range p.Tags {
		t := &p.Tags[i]
		if !counts(t, &p.Needs) || !fund.Usable(p.Consents, t.Purpose) {
			continue
		}
		if t.From > at {
			l.until = min(l.until, t.From)
			continue
		}
		if t.To <= at {
			continue
		}
		l.until = min(l.until, t.To)
		l.read(t)
	}
	return l
}

// counts reports whether a tag may say anything: he did not speak of it himself, and it
// comes from where it can be known.
func counts(t *fund.Tag, stated *fund.StatedNeeds) bool {
	switch t.Name {
	case GoalTag:
		return len(stated.Goals) == 0
	case HorizonTag:
		return stated.HorizonMonths <= 0 && t.Source == QuestionnaireSource
	case NeedTag:
		return stated.Liquidity == fund.NeedUnknown && t.Source == QuestionnaireSource
	case AttitudeTag:
		return t.Source == QuestionnaireSource
	case ThemeTag:
		return true
	default:
		return false
	}
}

// read takes a tag's value. One that is none of its kind says nothing.
func (l *labels) read(t *fund.Tag) {
	switch t.Name {
	case GoalTag:
		if g := codeOf[fund.Goal](t.Value, fund.Goals); g != fund.GoalUnknown {
			l.goal, l.source = g, FromTag
			if t.Source == QuestionnaireSource {
				l.source = FromQuestionnaire
			}
			if t.From > 0 {
				l.since = t.From.Date()
			}
		}
	case HorizonTag:
		l.months = monthsOf(t.Value)
	case NeedTag:
		l.need = codeOf[fund.Need](t.Value, fund.Needs)
	case AttitudeTag:
		l.attitude = codeOf[Attitude](t.Value, Attitudes)
	case ThemeTag:
		l.theme = t.Value
	}
}

// codeOf finds a code among those above zero; zero: it is none of them. The parsers of
// package fund make an error of such a value, which costs an allocation an answer.
func codeOf[T interface {
	~uint8
	String() string
}](code string, count int,
) T {
	for v := T(1); int(v) < count; v++ {
		if v.String() == code {
			return v
		}
	}
	return 0
}

// monthsOf reads a horizon. A number that is out of bounds is no answer and is not bent
// into one.
func monthsOf(s string) int32 {
	if s == "" || len(s) > 3 {
		return 0
	}
	n := int32(0)
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int32(c-'0')
	}
	if n > fund.MaxHorizonMonths {
		return 0
	}
	return n
}
