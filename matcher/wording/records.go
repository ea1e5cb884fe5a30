package wording

// Records reads what is shown beside or instead of a return: ranks (W02), a manager's
// record (W08), a simulated plan (W09) and the performance of a pension product (W10).
type records struct {
	w02, w08, w09, w10 statement
	performance        *performance

	spots                         *automaton
	rankWords                     [][]rune
	top                           []rune
	ratingsFrom                   int // rankWords from here on need no ordinal
	notRanks, evaluators, classes phrases
	managers, coverage, pensions  phrases
	unnamed                       endings // before an evaluator: 权威评价机构
	surnames                      phrases // 刘, before 管理的
	titles, manages               phrases // 经理, with 管理的 a few characters on
	plan                          planWords
}

// The words of a simulated plan.
type planWords struct {
	name                      phrases
	outcomes, yields, costs   phrases
	indices, formulas, source phrases
}

// The spans that the rules ask for, in days. Three years for a plan is this
// project's parameter: the draft of 2025-12 says only "long".
const (
	threeYears = 3 * oneYear
	fiveYears  = 5 * oneYear
)

func newRecords(f *folding, s *recordsSource, p *performance) *records {
	r := &records{
		performance: p,
		notRanks:    f.list(s.NotRanks), evaluators: f.list(s.Evaluators), unnamed: f.endings(s.Unnamed), classes: f.list(s.Classes),
		managers: f.list(s.Managers), coverage: f.list(s.Coverage), pensions: f.list(s.Pensions),
		titles: f.list(s.Titles), surnames: f.list(s.Surnames), manages: f.list(s.Manages),
		plan: planWords{
			name: f.list([]string{"定投", "定期定额"}), outcomes: f.list(s.Outcomes), yields: f.list(s.Yields), costs: f.list(s.Costs),
			indices: f.list(s.Indices), formulas: f.list(s.Formulas), source: f.list(s.Sources),
		},
	}
	r.top = f.word("top")
	r.rankWords = f.list(s.Ranks).list
	r.ratingsFrom = len(r.rankWords)
	r.rankWords = append(r.rankWords, f.list(s.Ratings).list...)
	r.spots = newAutomaton(r.rankWords)
	return r
}

// recordFacts are what the whole line says, each looked up once and only when asked.
type recordFacts struct {
	line                         *folded
	records                      *records
	pension, coverage, rankProof answer
}

type answer uint8

const (
	notAsked answer = iota
	no
	yes
)

// ask remembers the answer to a question about the whole line.
func (a *answer) ask(question func() bool) bool {
	if *a == notAsked {
		*a = no
		if question() {
			*a = yes
		}
	}
	return *a == yes
}

func (f *recordFacts) inLine(a *answer, words phrases) bool {
	return a.ask(func() bool { return f.line.has(0, len(f.line.runes), words) })
}

// judge appends the hits of a mention of performance.
func (r *records) judge(f *recordFacts, m mention, hits []hit) []hit {
	if f.inLine(&f.pension, r.pensions) && r.days(f.line, m.from, m.to, m.days) < fiveYears {
		hits = append(hits, r.w10.at("W10", m.from, m.to))
	}
	if owner, ok := r.managed(f, m.from, m.to); ok {
		hits = append(hits, r.w08.at("W08", min(owner, m.from), m.to))
	}
	return hits
}

// managed reports whether the sentence shows performance at [from, to) as a manager's,
// without all his comparable funds, and where it says so.
func (r *records) managed(f *recordFacts, from, to int) (int, bool) {
	l := f.line
	start := l.startOf(from, sentenceReach, sentence)
	owner, _ := l.find(start, l.endOf(to, sentenceReach, sentence), r.managers)
	if at, _ := l.find(start, from, r.titles); owner < 0 && at >= 0 && l.has(at, min(from, at+nameReach), r.manages) {
		owner = at
	}
	if at, _ := l.find(start, from, r.manages); owner < 0 && at >= 0 && r.named(l, at) {
		owner = l.clauseStart(at)
	}
	return owner, owner >= 0 && owner < to && !f.inLine(&f.coverage, r.coverage)
}

// named reports whether the clause begins with the name of a person that ends at i: two or
// three characters, the first a surname.
func (r *records) named(l *folded, i int) bool {
	start := l.clauseStart(i)
	return (i-start == 2 || i-start == 3) && longestAt(l, start, r.surnames) > 0
}

// nameReach is how far behind a title the words that name his funds stand.
const nameReach = 12

// days returns the longest span that the sentence around [from, to) names for it,
// known days included.
func (r *records) days(l *folded, from, to, known int) int {
	if known > 0 {
		return known
	}
	start, end := l.startOf(from, sentenceReach, sentence), l.endOf(to, sentenceReach, sentence)
	if days := between(l, start, end); days > 0 {
		return days
	}
	if days := r.nearest(l, start, from); days > 0 {
		return days
	}
	for i := from; i < end; i++ {
		if days := r.period(l, i); days > 0 {
			return days
		}
	}
	return 0
}

// nearest returns the days of the last span that is named in [start, from), 0 for none.
func (r *records) nearest(l *folded, start, from int) int {
	for i := from - 1; i >= start; i-- {
		if days := r.period(l, i); days > 0 {
			return days
		}
	}
	return 0
}

// period reads 近三年, 过去5年 or 三年期 at i.
func (r *records) period(l *folded, i int) int {
	prefix := longestAt(l, i, r.performance.windows.prefixes)
	n, at := number(l, i+prefix)
	if n == 0 {
		return 0
	}
	days, end := span(l, n, at)
	if days == 0 || prefix == 0 && (end >= len(l.runes) || l.runes[end] != '期') {
		return 0
	}
	return days
}

// ranks appends the hits of ranks; a rank is performance too.
func (r *records) ranks(f *recordFacts, seen *spotted, hits []hit) []hit {
	l := f.line
	last := 0
	r.spots.scan(l.runes, func(word int32, from, to int) {
		if from < last || !l.oneWord(from, to) {
			return
		}
		end, ok := r.rank(l, int(word), from, to)
		if !ok || r.performance.context.lawful(l, from, end) {
			return
		}
		last = end
		seen.add(mention{from: from, to: end})
		days := r.days(l, from, end, 0)
		if days < threeYears || !f.rankProof.ask(func() bool { return r.provenRank(l) }) {
			hits = append(hits, r.w02.at("W02", from, end))
		}
		if days < fiveYears && f.inLine(&f.pension, r.pensions) {
			hits = append(hits, r.w10.at("W10", from, end))
		}
		if owner, ok := r.managed(f, from, end); ok {
			hits = append(hits, r.w08.at("W08", min(owner, from), end))
		}
	})
	return hits
}

// rank reports where the rank that is named at [from, to) ends: 排名第12, 同类前5%,
// 排名12/356. Ranks of holdings and of issuers are none.
func (r *records) rank(l *folded, word, from, to int) (int, bool) {
	const reach = 14
	end := l.endOf(to, reach, clause)
	if l.has(max(l.clauseStart(from), from-reach), end, r.notRanks) {
		return 0, false
	}
	if word >= r.ratingsFrom {
		return to, true
	}
	for i := to - 1; i < end; i++ {
		if stop, ok := r.place(l, i, i < to); ok {
			return stop, true
		}
	}
	return 0, false
}

// place reads a place at i and returns its end: 第12名, 前5%, TOP10, 12/356. At the end of
// the word of rank itself only an ordinal (同类第) counts.
func (r *records) place(l *folded, i int, within bool) (int, bool) {
	at, ordinal := i, false
	switch {
	case l.runes[i] == '第' || l.runes[i] == '前':
		at, ordinal = i+1, true
	case within:
		return 0, false
	case l.matches(i, r.top):
		at, ordinal = i+len(r.top), true
	}
	n, stop := number(l, at)
	if n == 0 || stop == at {
		return 0, false
	}
	for stop < len(l.runes) && l.before[stop] < clause && continuesPlace(l.runes[stop]) {
		stop++
	}
	last := l.runes[stop-1]
	return stop, ordinal || last == '名' || last == '%' || isPart(l, at, stop)
}

func continuesPlace(r rune) bool { return isDigit(r) || r == '%' || r == '名' || r == '.' }

// isPart reports whether [from, to) reads 12/356.
func isPart(l *folded, from, to int) bool {
	for i := from + 1; i < to; i++ {
		if l.before[i] != joined && l.formula(i, i) {
			return true
		}
	}
	return false
}

// provenRank reports whether the line names evaluator, date, peer class and size.
func (r *records) provenRank(l *folded) bool {
	n := len(l.runes)
	if !r.evaluated(l) || !l.has(0, n, r.classes) {
		return false
	}
	dated, sized := false, false
	for i := range n {
		if !isDigit(l.runes[i]) || i > 0 && isDigit(l.runes[i-1]) && l.before[i] == joined {
			continue
		}
		if _, end := dateAt(l, i); end > i {
			dated = true
		} else {
			sized = sized || countsPeers(l, i)
		}
	}
	return dated && sized
}

// evaluated reports whether the line names its evaluator. 权威机构 names none.
func (r *records) evaluated(l *folded) bool {
	for i := 0; ; i++ {
		at, _ := l.find(i, len(l.runes), r.evaluators)
		if at < 0 {
			return false
		}
		if longestBefore(l, at, r.unnamed) == 0 {
			return true
		}
		i = at
	}
}

// countsPeers reports whether the number at i is followed by a slash and another, or by
// a word that counts funds: 12/356, 共356只.
func countsPeers(l *folded, i int) bool {
	for i < len(l.runes) && isDigit(l.runes[i]) {
		if i++; i < len(l.runes) && l.before[i] != joined {
			break
		}
	}
	if i >= len(l.runes) || l.before[i] >= clause {
		return false
	}
	switch l.runes[i] {
	case '只', '支', '款':
		return true
	}
	return isDigit(l.runes[i]) && l.formula(i, i)
}

// plans appends the hit of a simulated plan (定投) that lacks an index, a long span, its
// formula or its source.
func (r *records) plans(f *recordFacts, hits []hit) []hit {
	l := f.line
	n := len(l.runes)
	for from := 0; ; {
		at, k := l.find(from, n, r.plan.name)
		if at < 0 {
			return hits
		}
		to := at + len(r.plan.name.list[k])
		start, end := l.startOf(at, sentenceReach, sentence), l.endOf(to, sentenceReach, sentence)
		if r.simulated(l, start, end) && !r.performance.context.lawful(l, at, to) {
			if r.provenPlan(l) {
				return hits
			}
			return append(hits, r.w09.at("W09", at, to))
		}
		from = max(end, to)
	}
}

// simulated reports whether [start, end) says what a plan came to: a return, or an
// amount behind a word of outcome.
func (r *records) simulated(l *folded, start, end int) bool {
	for i := start; i < end; i++ {
		if l.runes[i] == '%' && l.has(max(start, i-16), min(end, i+8), r.plan.yields) && !l.has(max(start, i-10), min(end, i+4), r.plan.costs) {
			return true
		}
		n := longestAt(l, i, r.plan.outcomes)
		if n == 0 {
			continue
		}
		for k := i + n; k < min(end, i+n+6); k++ {
			if isDigit(l.runes[k]) || chineseDigit(l.runes[k]) > 0 {
				return r.amount(l, k, end)
			}
		}
	}
	return false
}

// amount reports whether a number at i is one of money or a multiple.
func (r *records) amount(l *folded, i, end int) bool {
	for k := i; k < min(end, i+10); k++ {
		switch c := l.runes[k]; {
		case c == '万' || c == '元' || c == '倍' || c == '亿' || c == '块' || c == '%':
			return true
		case !isDigit(c) && c != '.' && chineseDigit(c) == 0 && c != '百' && c != '千' && c != '多' && c != '几':
			return false
		}
	}
	return false
}

// provenPlan reports whether the line names an index, three years or more, the
// formula and the source.
func (r *records) provenPlan(l *folded) bool {
	n := len(l.runes)
	if !l.has(0, n, r.plan.indices) || !l.has(0, n, r.plan.formulas) || !l.has(0, n, r.plan.source) {
		return false
	}
	if between(l, 0, n) >= threeYears {
		return true
	}
	for i := range n {
		if days := r.period(l, i); days >= threeYears {
			return true
		}
	}
	return false
}
