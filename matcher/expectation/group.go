package expectation

import (
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// AgeBand is the group of persons of an age. Groups are of situations, not of assets:
// how much somebody has says nothing of what he hopes for.
type AgeBand uint8

// The bands. AgeUnknown is also that of children: nothing is guessed of them.
const (
	AgeUnknown AgeBand = iota
	Under30
	From30
	From45
	From60
	ageBandCount
)

// AgeBands is the number of bands, AgeUnknown included.
const AgeBands = int(ageBandCount)

var ageNames = [AgeBands]string{"", "不满30岁", "30至44岁", "45至59岁", "60岁及以上"}

// String names the band in zh-CN; AgeUnknown is empty.
func (b AgeBand) String() string { return ageNames[b] }

// bandStart is the age at which each band begins, as of Under30.
var bandStart = [...]int{18, 30, 45, 60}

// The horizons that groups are told apart by.
const (
	noHorizon = iota
	short     // below a year
	medium    // below three years
	long
	horizons
)

// groupGoals is what a person of an age who wants his money back after a time may be
// asked about first: judgement, and never more than the beginning of a question.
var groupGoals = [AgeBands][horizons]fund.Goal{
	Under30: {fund.Cash, fund.Cash, fund.SteadyIncome, fund.Growth},
	From30:  {fund.Growth, fund.Cash, fund.SteadyIncome, fund.Growth},
	From45:  {fund.SteadyIncome, fund.Cash, fund.SteadyIncome, fund.Retirement},
	From60:  {fund.SteadyIncome, fund.Cash, fund.SteadyIncome, fund.SteadyIncome},
}

// guess takes the goal of the group that the customer belongs to and returns the next
// instant at which he belongs to another.
func (w *Wish) guess(p *fund.Person, at fund.Instant) fund.Instant {
	until := fund.Forever
	if w.Company {
		w.Ground.Industry = industryOf(p.Industry)
		in := &industries[w.Ground.Industry]
		w.Goal, w.Confidence = fund.Treasury, groupConfidence
		w.Ground.Months, w.Ground.Need = in.months, in.need
		return until
	}
	if p.BirthDate == 0 {
		return until
	}
	age, _ := p.AgeOn(at.Date()) // whoever is not born yet, so they say, is a child
	band := AgeUnknown
	for int(band) < len(bandStart) && age >= bandStart[band] {
		band++
	}
	if int(band) < len(bandStart) {
		until = p.BirthDate.AddMonths(12 * bandStart[band]).Start()
	}
	if w.Goal = groupGoals[band][horizonBand(w.HorizonMonths)]; w.Goal != fund.GoalUnknown {
		w.Ground.Age, w.Confidence = band, groupConfidence
	}
	return until
}

func horizonBand(months int32) int {
	switch {
	case months <= 0:
		return noHorizon
	case months < 12:
		return short
	case months < 36:
		return medium
	default:
		return long
	}
}

// Industry is the group of companies of an industry, by when they usually pay. The zero
// value is any other.
type Industry uint8

// industry is how the companies of one usually pay: months from being paid to paying,
// and how soon they need money (wages are monthly everywhere, daily where cash comes in
// daily). Judgement, shown and asked about, never computed with.
type industry struct {
	name   string
	words  []string // parts of the industry's name on file, in Chinese; the first row with one decides
	months int32
	need   fund.Need
}

var industries = [...]industry{
	{"其他行业", nil, 3, fund.NeedMedium},
	{"建筑工程", []string{"建筑", "工程", "装修", "装饰", "房地产", "园林"}, 6, fund.NeedMedium},
	{"物流运输", []string{"物流", "运输", "快递", "仓储", "货运"}, 2, fund.NeedHigh},
	{"餐饮住宿", []string{"餐饮", "酒店", "住宿", "旅游"}, 1, fund.NeedHigh},
	{"零售", []string{"零售", "超市", "百货", "电商", "商超"}, 1, fund.NeedHigh},
	{"贸易批发", []string{"贸易", "外贸", "批发", "进出口"}, 3, fund.NeedMedium},
	{"农业", []string{"农", "养殖", "种植", "渔", "粮"}, 6, fund.NeedMedium},
	{"医药医疗", []string{"医", "药"}, 6, fund.NeedMedium},
	{"科技软件", []string{"科技", "软件", "信息", "互联网", "技术"}, 6, fund.NeedMedium},
	{"教育培训", []string{"教育", "培训", "学校"}, 6, fund.NeedMedium},
	{"制造", []string{"制造", "加工", "机械", "电子", "化工", "纺织", "汽车"}, 3, fund.NeedMedium},
}

// Industries is the number of industries, any other included.
const Industries = len(industries)

// String names the industry in zh-CN.
func (i Industry) String() string { return industries[i].name }

// industryOf finds the row of an industry as the bank has it on file.
func industryOf(name string) Industry {
	found := Industry(0)
	for at := 0; at+2 < len(name); at++ {
		for _, w := range industryWords[name[at+2]] {
			if (found == 0 || w.row < found) && strings.HasPrefix(name[at:], w.word) {
				found = w.row
			}
		}
	}
	return found
}

// industryWords are the words by the last byte of their first character, which tells
// Chinese characters apart best: a name is read once instead of once a word.
var industryWords = func() (t [256][]struct {
	word string
	row  Industry
},
) {
	for row := range industries {
		for _, word := range industries[row].words {
			t[word[2]] = append(t[word[2]], struct {
				word string
				row  Industry
			}{word, Industry(row)})
		}
	}
	return t
}()
