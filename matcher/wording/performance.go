package wording

import "fmt"

// A performance reads figures of past returns: over which window (W01), with which
// risk beside them (W03), and with the sentence about the future (W05).
type performance struct {
	w01, w03, w05 statement
	context       *context

	words      *automaton
	names      [][]rune // the words of the automaton
	endings    endings  // the same, found backwards
	annualised []rune
	spelled    []rune // a percentage in words
	multiples  int    // names from here on are figures themselves: 翻倍
	vocabulary vocabulary
	windows    windows
	beside     beside
	records    *records
}

// The words that tell a return from what only looks like one.
type vocabulary struct {
	notReturns phrases // behind a word of return: 收益分配
	others     phrases // own the figure: 赎回费
	notPast    endings // before it: 预期收益
	denies     phrases
	yields     phrases // behind 年化: 收益率
	praise     phrases // 不错, which denies nothing
	defines    phrases // behind it, without a figure: 七日年化收益率是指
	money      phrases // money funds
	market     phrases // what rises and falls and is no product: 沪指
	product    phrases
	foreseen   phrases // before it in its clause: what has not happened
	counts     phrases // what is multiplied and is no return: 规模
}

// The words of a window: 近三个月本基金净值.
type windows struct {
	prefixes, between phrases
	ahead             endings // the prefixes again, found backwards
	since             phrases // 截至: what follows is a date
	founded, only     phrases // 成立, and what may stand before its age: 不足
}

// What must stand in a line with a return.
type beside struct {
	drawdown, volatility, benchmark phrases
	past, future                    phrases
}

func newPerformance(f *folding, s *performanceSource, c *context, statements map[string]statement) (*performance, error) {
	p := &performance{
		context: c, names: f.list(s.Returns).list, annualised: f.word("年化"), spelled: f.word("百分之"),
		vocabulary: vocabulary{
			notReturns: f.list([]string{"率", "波动", "分配", "报酬", "风险", "特征", "类", "凭证", "排名", "排行", "位列", "位居", "稳居", "名列", "跻身", "处于同类", "同类"}),
			others:     f.list(s.Others), notPast: f.endings(s.NotPast),
			denies: f.list([]string{"不"}), defines: f.list(s.Defines), yields: f.list([]string{"收益率", "收益", "回报率", "率"}), praise: f.list([]string{"不错", "不俗", "不菲", "不低", "不凡"}), money: f.list(s.MoneyFunds),
			market: f.list(s.Market), product: f.list(s.Product), foreseen: f.list(s.Foreseen), counts: f.list(s.Counts),
		},
		windows: windows{
			prefixes: f.list(s.Prefixes), between: f.list(s.Between), ahead: f.endings(s.Prefixes), since: f.list(s.Since),
			founded: f.list([]string{"成立", "设立", "运作"}), only: f.list([]string{"仅", "才", "刚", "刚刚", "不足", "不到", "已", "满", "了", "以来", "至今", "时间", "至今仅"}),
		},
		beside: beside{
			drawdown: f.list(s.Drawdown), volatility: f.list(s.Volatility), benchmark: f.list(s.Benchmark),
			past: f.list(s.Past), future: f.list(s.Future),
		},
	}
	p.multiples = len(p.names)
	p.names = append(p.names, f.list(s.Multiples).list...)
	p.words = newAutomaton(p.names)
	p.endings = f.endings(s.Returns)
	p.records = newRecords(f, &s.Records, p)
	for id, into := range map[string]*statement{
		"W01": &p.w01, "W03": &p.w03, "W05": &p.w05, "W02": &p.records.w02,
		"W08": &p.records.w08, "W09": &p.records.w09, "W10": &p.records.w10,
	} {
		st, ok := statements[id]
		if !ok {
			return nil, fmt.Errorf("rule %s is missing in rules/text_rules.yaml", id)
		}
		*into = st
	}
	return p, nil
}

// The limits of W01, in days: a window is longer than six months, and nothing
// under a year is annualised.
const (
	sixMonths = 183
	oneYear   = 365
)

// A mention is one place that speaks of a return: its figure and its window.
type mention struct {
	from, to   int  // the word of return and its figure
	figure     bool // a percentage stands with it
	windowFrom int
	days       int // of the window; 0: none is named
	annualised bool
	multiple   bool // its figure is one only beside a window: 三年翻倍, 五年涨了三成
}

// check appends the hits of W01-W03, W05 and W08-W10.
func (p *performance) check(l *folded, kind TextKind, hits []hit) []hit {
	var seen spotted
	facts := recordFacts{line: l, records: p.records}
	p.words.scan(l.runes, func(word int32, from, to int) {
		m, ok := p.mention(l, int(word), from, to)
		if !ok {
			return
		}
		if p.exempt(l, m) {
			m.figure = false
		} else if m.days > 0 && (m.days <= sixMonths || m.annualised && m.days < oneYear) {
			hits = append(hits, p.w01.at("W01", min(m.windowFrom, m.from), m.to))
		}
		seen.add(m)
		hits = p.records.judge(&facts, m, hits)
	})
	hits = p.records.ranks(&facts, &seen, hits)
	hits = p.records.plans(&facts, hits)
	if seen.figure && !p.riskBeside(l, kind, seen.firstFigure) {
		hits = append(hits, p.w03.at("W03", seen.firstFigure.from, seen.firstFigure.to))
	}
	if seen.any && !p.saysPast(l) {
		hits = append(hits, p.w05.at("W05", seen.first.from, seen.first.to))
	}
	return hits
}

// spotted is the first mention of a line, and the first with a figure.
type spotted struct {
	any, figure        bool
	first, firstFigure mention
}

func (s *spotted) add(m mention) {
	if !s.any || m.before(s.first) {
		s.any, s.first = true, m
	}
	if m.figure && (!s.figure || m.before(s.firstFigure)) {
		s.figure, s.firstFigure = true, m
	}
}

// before reports whether m starts earlier, or there too and is longer.
func (m mention) before(other mention) bool {
	return m.from < other.from || m.from == other.from && m.to > other.to
}

// at is the hit of a statement.
func (s statement) at(rule string, from, to int) hit {
	return hit{rule: rule, why: s.why, instead: s.instead, from: from, to: to}
}

// exempt reports whether the short window is lawful: the seven-day figure of a
// money fund is a statutory one, and a window may be named to say it is not shown.
func (p *performance) exempt(l *folded, m mention) bool {
	from, to := l.startOf(m.from, sentenceReach, sentence), l.endOf(m.to, sentenceReach, sentence)
	return m.days > 0 && m.days <= 7 && l.has(from, to, p.vocabulary.money)
}

// riskBeside reports whether drawdown and volatility stand in the same line for the
// window of the return, and in a product template the benchmark as well.
func (p *performance) riskBeside(l *folded, kind TextKind, m mention) bool {
	n := len(l.runes)
	return p.sameWindow(l, m, p.beside.drawdown) && p.sameWindow(l, m, p.beside.volatility) &&
		(kind != ProductTemplate || l.has(0, n, p.beside.benchmark))
}

// sameWindow reports whether one of the words of risk stands in the line that names no
// other window than the return's: beside three years of return, the drawdown of one
// year is none. A window that only one of them names is taken for both.
func (p *performance) sameWindow(l *folded, m mention, words phrases) bool {
	year := yearBefore(l, l.clauseStart(m.from), m.from)
	for i := 0; ; i++ {
		at, _ := l.find(i, len(l.runes), words)
		if at < 0 {
			return false
		}
		start := l.clauseStart(at)
		days, other := p.records.nearest(l, start, at), yearBefore(l, start, at)
		if (days == 0 || m.days == 0 || days == m.days) && (year == 0 || other == 0 || year == other) {
			return true
		}
		i = at
	}
}

// yearBefore returns the calendar year that is named last in [from, to), 0 for none.
func yearBefore(l *folded, from, to int) int {
	for i := to - 5; i >= from; i-- {
		if l.runes[i+4] == '年' && isDigit(l.runes[i]) && (i == 0 || !isDigit(l.runes[i-1])) {
			if n, at := number(l, i); at == i+4 {
				return n
			}
		}
	}
	return 0
}

// saysPast reports whether the line says that past performance says nothing of the
// future, in one of its usual forms.
func (p *performance) saysPast(l *folded) bool {
	for i := 0; i < len(l.runes); {
		at, _ := l.find(i, len(l.runes), p.beside.past)
		if at < 0 {
			return false
		}
		end := l.endOf(at+1, denialReach, clause)
		if no, _ := l.find(at, end, p.vocabulary.denies); no >= 0 && l.has(no, end, p.beside.future) {
			return true
		}
		i = at + 1
	}
	return false
}

// mention reads what stands around a word of return; ok is false when it speaks of
// no performance: no figure and no window.
func (p *performance) mention(l *folded, word, from, to int) (mention, bool) {
	m := mention{from: from, to: to, windowFrom: from, annualised: string(p.names[word]) == string(p.annualised), multiple: word >= p.multiples}
	if !p.ofReturn(l, &m) {
		return m, false
	}
	p.addFigure(l, &m)
	if !m.figure && p.defined(l, to) {
		return m, false
	}
	if p.ofMarket(l, from) || l.has(l.clauseStart(from), from, p.vocabulary.foreseen) {
		return m, false
	}
	p.addWindow(l, &m, from)
	if m.days == 0 && (m.multiple || !m.figure) {
		return m, false
	}
	return m, !p.context.negated(l, min(m.windowFrom, m.from)) && !p.context.warned(l, m.from)
}

// ofReturn reports whether the word at [m.from, m.to) is one of a return, read from its
// start: not the 收益率 of 年化收益率, nor the 年化 of 综合费率（年化）.
func (p *performance) ofReturn(l *folded, m *mention) bool {
	if l.endsWith(m.from, p.annualised) || longestBefore(l, m.to, p.endings) > m.to-m.from || !l.oneWord(m.from, m.to) {
		return false
	}
	if longestAfter(l, m.to, p.vocabulary.notReturns) > 0 || longestBefore(l, m.from, p.vocabulary.notPast) > 0 {
		return false
	}
	return !m.annualised || !l.has(max(l.clauseStart(m.from), m.from-6), m.from, p.vocabulary.others)
}

// addFigure looks for the figure of a return behind and before it.
func (p *performance) addFigure(l *folded, m *mention) {
	if m.multiple {
		m.figure = !l.has(l.startOf(m.from, sentenceReach, sentence), m.from, p.vocabulary.counts)
	} else if end, ok := p.figureAfter(l, m.to); ok {
		m.to, m.figure = end, true
	} else if end, ok := p.timesAfter(l, m.to); ok {
		m.to, m.figure, m.multiple = end, true, true
	} else if start, ok := p.figureBefore(l, m.from); ok {
		m.from, m.figure = start, true
	}
}

// defined reports whether the text says what a return is and not how much:
// 七日年化收益率不等于实际收益率.
func (p *performance) defined(l *folded, to int) bool {
	rest := to + longestAfter(l, to, p.vocabulary.yields)
	end := l.endOf(rest, 4, clause)
	return l.has(rest, end, p.vocabulary.defines) && !l.has(rest, end, p.vocabulary.praise)
}

// ofMarket reports whether the clause speaks of an index or a price and of no product:
// 昨日沪指上涨1%.
func (p *performance) ofMarket(l *folded, from int) bool {
	start := l.clauseStart(from)
	return l.has(start, from, p.vocabulary.market) && !l.has(start, from, p.vocabulary.product)
}

// figureAfter looks for a percentage behind a word of return: 收益率为12.3%. Another
// noun in between owns the figure, and so does a formula (收益率×95%).
func (p *performance) figureAfter(l *folded, to int) (int, bool) {
	const reach = 10
	end := l.endOf(to, reach, clause)
	for i := to; i < end; i++ {
		if l.runes[i] == '百' && l.startsWith(i, p.spelled) {
			stop := i + len(p.spelled)
			for stop < len(l.runes) && chineseDigit(l.runes[stop]) > 0 {
				stop++
			}
			return stop, stop > i+len(p.spelled) && !l.has(to, i, p.vocabulary.others)
		}
		if !isDigit(l.runes[i]) {
			continue
		}
		stop := percentEnd(l, i)
		if stop == 0 {
			return 0, false
		}
		return stop, stop > 0 && !l.has(to, i, p.vocabulary.others) && !p.followed(l, stop) && !l.formula(to, i)
	}
	return 0, false
}

// followed reports whether another noun follows the figure at once: 收益的20%作为报酬.
func (p *performance) followed(l *folded, at int) bool {
	return l.has(at, l.endOf(at, 4, clause), p.vocabulary.others)
}

// figureBefore looks for a percentage just before a word of return: 12%的收益.
func (p *performance) figureBefore(l *folded, from int) (int, bool) {
	i := from
	for i > 0 && i > from-3 && l.before[i] < clause && l.runes[i-1] != '%' && !isDigit(l.runes[i-1]) {
		i--
	}
	if i == 0 || l.runes[i-1] != '%' || l.before[i] >= clause {
		return 0, false
	}
	start := i - 1
	for start > 0 && (isDigit(l.runes[start-1]) || l.runes[start-1] == '.') {
		start--
	}
	if start == i-1 || l.has(max(0, start-6), start, p.vocabulary.others) || l.has(i, from, p.vocabulary.others) || l.formula(start, from) {
		return 0, false
	}
	return start, true
}

// timesAfter looks for tenths or multiples just behind a word of return: 涨了三成.
func (p *performance) timesAfter(l *folded, to int) (int, bool) {
	const reach = 5
	end := l.endOf(to, reach, clause)
	for i := to; i < end; i++ {
		if stop := timesEnd(l, i); stop > 0 {
			return stop, !l.has(to, i, p.vocabulary.others) && !p.followed(l, stop)
		}
	}
	return 0, false
}

// timesEnd returns the end of the tenths or multiples that start at i: 三成, 2倍; 0 when
// it is none.
func timesEnd(l *folded, i int) int {
	if c := l.runes[i]; !isDigit(c) && chineseDigit(c) == 0 {
		return 0
	}
	n, stop := number(l, i)
	if n <= 0 || stop == i || stop >= len(l.runes) || l.before[stop] >= clause {
		return 0
	}
	if c := l.runes[stop]; c == '倍' || c == '成' && (stop+1 == len(l.runes) || l.runes[stop+1] != '立') {
		return stop + 1
	}
	return 0
}

// percentEnd returns the end of the percentage that starts at i, 0 when the number
// is none.
func percentEnd(l *folded, i int) int {
	for i < len(l.runes) && (isDigit(l.runes[i]) || l.runes[i] == '.') {
		i++
	}
	if i < len(l.runes) && (l.runes[i] == '%' || l.runes[i] == '‰') {
		return i + 1
	}
	return 0
}

// formula reports whether the original multiplies between two kept characters.
func (l *folded) formula(from, to int) bool {
	if from >= len(l.at) || to >= len(l.at) {
		return false
	}
	for _, r := range l.original[l.at[max(0, from-1)]:l.at[to]] {
		switch r {
		case '×', '*', '＊', '÷', '/', '／':
			return true
		}
	}
	return false
}

// addWindow looks for the window of a return before it: through words that only
// fill, or, when a figure stands with it, anywhere earlier in the sentence unless
// another figure comes between.
func (p *performance) addWindow(l *folded, m *mention, from int) {
	const reach = 22
	start := l.startOf(from, reach, sentence)
	for i := from - 1; i >= start; i-- {
		days, end := p.window(l, i, m, from)
		if days == 0 || end > from {
			continue
		}
		if p.onlyFills(l, end, from) || m.figure && !hasPercent(l, end, from) && !l.has(end, from, p.vocabulary.others) {
			m.windowFrom, m.days = i-longestBefore(l, i, p.windows.ahead), days
		}
		break
	}
	if m.days == 0 && m.figure && !m.multiple {
		m.days = p.youth(l, *m)
	}
}

// youth returns the age in days of a fund that the sentence calls younger than six months,
// 0 otherwise: 年化收益率12%（成立4个月）. Such a fund shows no performance at all.
func (p *performance) youth(l *folded, m mention) int {
	start, end := l.startOf(m.from, sentenceReach, sentence), l.endOf(m.to, sentenceReach, sentence)
	at, k := l.find(start, end, p.windows.founded)
	if at < 0 {
		return 0
	}
	at += len(p.windows.founded.list[k])
	for n := 1; n > 0; at += n {
		n = longestAt(l, at, p.windows.only)
	}
	n, unit := number(l, at)
	if n == 0 || unit == at {
		return 0
	}
	if days, _ := span(l, n, unit); days <= sixMonths {
		return days
	}
	return 0
}

func hasPercent(l *folded, from, to int) bool {
	for _, r := range l.runes[from:max(from, to)] {
		if r == '%' {
			return true
		}
	}
	return false
}

// onlyFills reports whether [from, to) is made of words that name nothing else.
func (p *performance) onlyFills(l *folded, from, to int) bool {
	for from < to {
		n := longestAfter(l, from, p.windows.between)
		if n == 0 {
			return false
		}
		from += n
	}
	return from == to
}

// window reads a window that starts at i and returns its days and its end. Without
// a prefix (近, 过去) it must stand at the return itself (7日年化, 三个月涨了8%): a
// number of days elsewhere may be a holding period.
func (p *performance) window(l *folded, i int, m *mention, from int) (int, int) {
	prefix := longestAt(l, i, p.windows.prefixes)
	n, at := number(l, i+prefix)
	if n == 0 {
		return 0, 0
	}
	days, end := span(l, n, at)
	days, end = withMonths(l, days, end)
	if days > 0 && prefix == 0 && l.calendar(i, end, at, n) {
		if m.figure && p.onlyFills(l, end, from) && !l.has(l.clauseStart(i), from, p.windows.since) {
			return days / n, end
		}
		return 0, 0
	}
	if days == 0 || prefix == 0 && !p.bare(l, i, end, m, from) {
		return 0, 0
	}
	return days, end
}

// withMonths adds the months behind a number of years that ends at end: 2年6个月.
func withMonths(l *folded, days, end int) (int, int) {
	if end == 0 || l.runes[end-1] != '年' {
		return days, end
	}
	if n, at := number(l, end); n > 0 && at > end {
		if more, stop := span(l, n, at); more > 0 && l.runes[stop-1] == '月' {
			return days + more, stop
		}
	}
	return days, end
}

// calendar reports whether [i, end) is one month or quarter of a calendar and no number of
// them: 6月, 三季度, but not 三个季度. Its unit stands at at.
func (l *folded) calendar(i, end, at, n int) bool {
	last := l.runes[end-1]
	counted := at < len(l.runes) && l.runes[at] == '个' || unitOnly(l.runes[i])
	return !counted && n > 0 && (last == '月' && n <= 12 || last == '度' && n <= 4) && (i == 0 || !isNumeric(l.runes[i-1]))
}

// bare reports whether a number of days without a prefix is the window of a return.
func (p *performance) bare(l *folded, i, end int, m *mention, from int) bool {
	if unitOnly(l.runes[i]) || i > 0 && (l.runes[i-1] == '年' || isDigit(l.runes[i-1]) || chineseDigit(l.runes[i-1]) > 0) {
		return false
	}
	if m.annualised && end == from {
		return true
	}
	if m.multiple && p.onlyFills(l, end, from) {
		return true
	}
	return m.figure && l.runes[end-1] != '年' && l.runes[end-1] != '日' && p.onlyFills(l, end, from)
}

// number reads an Arabic or a short Chinese number at i; 半 counts as -1 (half of
// what follows). A missing number before 月, 周 or 季度 (上月) is 1.
func number(l *folded, i int) (int, int) {
	n, at := 0, i
	for at < len(l.runes) && isDigit(l.runes[at]) && n < 100_000 {
		n = n*10 + int(l.runes[at]-'0')
		at++
	}
	if at > i || at >= len(l.runes) {
		return n, at
	}
	if l.runes[at] == '半' {
		return -1, at + 1
	}
	for at < len(l.runes) && at < i+3 {
		d := chineseDigit(l.runes[at])
		switch {
		case d == 10 && n == 0:
			n = 10
		case d == 10:
			n *= 10
		case d > 0:
			n += d
		default:
			return max(n, boolInt(n == 0 && at == i && unitOnly(l.runes[at]))), at
		}
		at++
	}
	return n, at
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func unitOnly(r rune) bool { return r == '周' || r == '月' || r == '季' || r == '个' }

func chineseDigit(r rune) int {
	switch r {
	case '一':
		return 1
	case '二', '两':
		return 2
	case '三':
		return 3
	case '四':
		return 4
	case '五':
		return 5
	case '六':
		return 6
	case '七':
		return 7
	case '八':
		return 8
	case '九':
		return 9
	case '十':
		return 10
	}
	return 0
}

// unitAt returns where the unit of a number stands behind 个 and 多, and whether it is
// 交易日.
func unitAt(l *folded, i int) (int, bool) {
	for _, between := range [...]rune{'个', '多'} {
		if i+1 < len(l.runes) && l.runes[i] == between {
			i++
		}
	}
	return i, i+2 < len(l.runes) && l.runes[i] == '交' && l.runes[i+1] == '易' && l.runes[i+2] == '日'
}

// span reads the unit at i and returns the days of n of them.
func span(l *folded, n, i int) (int, int) {
	i, trading := unitAt(l, i)
	if trading {
		return max(n, 0) * 7 / 5, i + 3
	}
	if i >= len(l.runes) || l.before[i] >= clause {
		return 0, 0
	}
	switch l.runes[i] {
	case '天', '日':
		return max(n, 0), i + 1
	case '周':
		return max(n, 0) * 7, i + 1
	case '月':
		if n < 0 { // 半个月
			return 15, i + 1
		}
		return n * oneYear / 12, i + 1
	case '季':
		if i+1 < len(l.runes) && l.runes[i+1] == '度' {
			i++
		}
		return max(n, 0) * oneYear / 4, i + 1
	case '年':
		if n < 0 { // 半年
			return oneYear / 2, i + 1
		}
		return n * oneYear, i + 1
	}
	return 0, 0
}
