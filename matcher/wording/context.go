package wording

// A context knows when a forbidden word is no claim: it is denied, it is reported
// as unlawful or abolished, it is what a customer wishes and is told not to expect.
type context struct {
	denial     denial
	report     report
	tale       tale
	wish       wish
	sources    phrases
	possessive phrases
}

// The words that deny what follows.
type denial struct {
	negators, fillers    endings
	notOnly, quantifiers endings // 不仅; 一款, between two negators
	aversions            endings // 轻信, which another negator does not turn
	rhetorical           phrases
	doubts, plain        phrases // 哪有; the shortest negators
	denials, denialStops phrases
}

// The words that call something unlawful or abolished.
type report struct {
	alone, copulas, verdicts, turned, openers phrases
	dated                                     phrases // 已于, further before a verdict than a copula
	disowned                                  phrases // behind a quotation: 我不敢这么讲
	condemned                                 phrases // ends the clause: 要不得
	unequal, danger                           phrases // 不等于, at once behind the word; 风险, which makes that a claim
}

// The words of a text that tells what others did or may do.
type tale struct {
	warnings, resumed     phrases // 骗子; 本基金, which comes back to the product
	topics                phrases // 非法集资: what the whole line is about
	past, others          phrases // 以前; 不少产品
	sanctions             phrases // 被罚
	suffered, penalties   phrases // 被, and behind it 处罚
	conditions, reactions phrases // 如有, and behind it 举报
}

// The words of a wish that is refused and of a question that is answered with no.
type wish struct {
	wishes, refusals, questions, answers phrases
	replies, open                        phrases // 答; 能不能
	predicates, drives, assents          phrases // behind the word, before 吗; 您还在找; 当然
}

func newContext(f *folding, s *contextSource) *context {
	r := &s.Reported
	return &context{
		denial: denial{
			negators: f.endings(s.Negators), fillers: f.endings(s.Fillers), rhetorical: f.list(s.Rhetorical),
			notOnly: f.endings(s.NotOnly), quantifiers: f.endings(s.Quantifiers), aversions: f.endings(s.Aversions),
			doubts: f.list(s.Doubts), plain: f.list([]string{"不", "没", "无", "非"}),
			denials: f.list(s.Denials), denialStops: f.list(s.DenialStop),
		},
		report: report{
			alone: f.list(r.Alone), copulas: f.list(r.Copulas), dated: f.list(r.Dated), verdicts: f.list(r.Verdicts),
			turned: f.list(r.Turned), openers: f.list(r.Openers), disowned: f.list(r.Disowned),
			condemned: f.list(r.Condemned), unequal: f.list(r.Unequal), danger: f.list([]string{"风险", "亏", "危险"}),
		},
		tale: tale{
			warnings: f.list(r.Warnings), resumed: f.list(r.Resumed), topics: f.list(r.Topics),
			past: f.list(r.Past), others: f.list(r.Others), sanctions: f.list(r.Sanctions),
			suffered: f.list(r.Suffered), penalties: f.list(r.Penalties),
			conditions: f.list(r.Conditions), reactions: f.list(r.Reactions),
		},
		wish: wish{
			wishes: f.list(r.Wishes), refusals: f.list(r.Refusals), answers: f.list(r.Answers),
			questions: f.list([]string{"吗", "么"}), replies: f.list([]string{"答", "回答", "答案"}), open: f.list(s.Open),
			predicates: f.list(s.Predicates), drives: f.list(s.Drives), assents: f.list(s.Assents),
		},
		sources: f.list(r.Sources), possessive: f.list([]string{"的"}),
	}
}

// How far back a negation governs a word through words that only fill.
const (
	negationReach = 24
	denialReach   = 32
	verdictReach  = 36
	dateReach     = 14
)

// lawful reports whether the word at [from, to) is no claim. What is said of a
// quotation is said of every word in it.
func (c *context) lawful(l *folded, from, to int) bool {
	if open := l.quotation(from); open < from && (c.negated(l, open) || c.denied(l, open)) {
		return true
	}
	return c.negated(l, from) || c.denied(l, from) || c.doubted(l, from) || c.warned(l, from) || c.reported(l, from, to) ||
		c.wished(l, from, to) || c.answered(l, to) || c.asked(l, from, to)
}

// negated walks back over words that only fill (任何, 收益, 向投资者, other forbidden
// words of one list) and looks for a negator there: 不保证收益, 不承诺保本保收益.
// 不仅保本 is none, since 仅 fills nothing; two negators cancel out: 不是不保本.
func (c *context) negated(l *folded, from int) bool {
	for i := from; from-i <= negationReach; {
		if longestBefore(l, i, c.denial.notOnly) > 0 {
			return false
		}
		if longestBefore(l, i, c.denial.aversions) > 0 {
			return true
		}
		if n := longestBefore(l, i, c.denial.negators); n > 0 {
			return !c.turnedBack(l, i-n)
		}
		n := longestBefore(l, i, c.denial.fillers)
		if n == 0 {
			return false
		}
		i -= n
	}
	return false
}

// turnedBack reports whether the negator at i is itself denied, so that two make a
// claim: 不是不保本, 没有一款不保本, 哪有不保本的.
func (c *context) turnedBack(l *folded, i int) bool {
	if l.has(l.clauseStart(i), i, c.denial.rhetorical) || l.has(l.clauseStart(i), i, c.denial.doubts) {
		return true
	}
	for {
		if longestBefore(l, i, c.denial.negators) > 0 {
			return true
		}
		n := longestBefore(l, i, c.denial.quantifiers)
		if n == 0 {
			return false
		}
		i -= n
	}
}

// doubted reports whether the clause asks against the word: 哪有稳赚的生意, 谁能保证.
func (c *context) doubted(l *folded, from int) bool {
	at, k := l.find(l.clauseStart(from), from, c.denial.doubts)
	return at >= 0 && !l.has(at+len(c.denial.doubts.list[k]), from, c.denial.plain)
}

// Endings are words by their last character, to be found backwards.
type endings map[rune][][]rune

func (f *folding) endings(words []string) endings {
	out := endings{}
	for _, w := range f.list(words).list {
		last := w[len(w)-1]
		out[last] = append(out[last], w)
	}
	return out
}

// longestBefore returns the length of the longest of the words that ends at i.
func longestBefore(l *folded, i int, words endings) int {
	longest := 0
	if i == 0 {
		return longest
	}
	for _, w := range words[l.runes[i-1]] {
		if len(w) > longest && len(w) <= i && l.endsWith(i, w) {
			longest = len(w)
		}
	}
	return longest
}

// denied looks for a denial that governs the rest of its clause: 没有任何产品能够保证,
// 不代表本基金未来能够获得正收益. A word that turns the sense again ends its reach.
func (c *context) denied(l *folded, from int) bool {
	start := l.clauseStart(from)
	at, k := l.find(start, from, c.denial.denials)
	if at < 0 || l.has(l.clauseStart(at), at, c.denial.rhetorical) {
		return false
	}
	rest := at + len(c.denial.denials.list[k])
	return rest <= from && !l.has(rest, from, c.denial.denialStops) && longestBefore(l, from, c.denial.negators) == 0
}

// reported reports whether the word is only named as unlawful or abolished:
// 保本理财已退出市场, 凡承诺保本的，均属违规, “稳赚不赔”都是骗局. A verdict that is itself
// turned (绝不违规) is none.
func (c *context) reported(l *folded, from, to int) bool {
	end, start := l.endOf(to, verdictReach, clause), l.clauseStart(from)
	if c.told(l, start, from, to) || c.verdict(l, to, end) || c.condemned(l, to, end) || c.toldApart(l, to, end) {
		return true
	}
	spoken := l.has(start, from, c.report.openers) || l.quotation(from) < from || l.quoted(from)
	if !spoken && (end == to || !l.endsIn(end, c.possessive)) {
		return false
	}
	return end < len(l.runes) && l.before[end] == clause && c.verdict(l, end, l.endOf(end+1, verdictReach, clause))
}

// told reports whether the sentence tells of others: of a penalty, of words that it
// disowns, or of what to do when somebody says them (如有人承诺保本，请举报).
func (c *context) told(l *folded, start, from, to int) bool {
	rest := l.endOf(to, sentenceReach, sentence)
	if (l.has(to, rest, c.tale.sanctions) || c.punished(l, to, rest)) && !l.has(l.startOf(from, sentenceReach, sentence), rest, c.tale.resumed) {
		return true
	}
	if (l.quotation(from) < from || l.quoted(from)) && l.has(to, rest, c.report.disowned) {
		return true
	}
	return l.has(start, from, c.tale.conditions) && l.has(to, rest, c.tale.reactions)
}

// condemned reports whether the clause ends, behind the word, in a verdict: 要不得.
func (c *context) condemned(l *folded, to, end int) bool {
	for _, w := range c.report.condemned.list {
		if end-len(w) >= to && l.matches(end-len(w), w) {
			return true
		}
	}
	return false
}

// toldApart reports whether the word is at once said to be something else than good:
// 高收益不等于好产品. 高收益不等于高风险 is a claim.
func (c *context) toldApart(l *folded, to, end int) bool {
	return longestAfter(l, to, c.report.unequal) > 0 && !l.has(to, end, c.report.danger)
}

// punished reports whether somebody suffered a penalty in [from, to), whoever imposed
// it: 被某地监管部门责令改正.
func (c *context) punished(l *folded, from, to int) bool {
	const reach = 14
	at, k := l.find(from, to, c.tale.suffered)
	return at >= 0 && l.has(at+len(c.tale.suffered.list[k]), min(to, at+reach), c.tale.penalties)
}

// warned reports whether the sentence began as a warning or a list of what may not be
// said, or the line before it is about a crime, and has not come back to the product:
// 骗子常用的话术：保本、高息.
func (c *context) warned(l *folded, from int) bool {
	start := l.startOf(from, sentenceReach, sentence)
	return c.opened(l, start, from, c.tale.warnings) || c.opened(l, max(0, from-topicReach), from, c.tale.topics) ||
		c.bygone(l, start, from)
}

// topicReach is how far back the topic of a line is looked for, over its sentences.
const topicReach = 96

// opened reports whether one of the words stands in [start, from), is not turned, and the
// text has not come back to the product behind it.
func (c *context) opened(l *folded, start, from int, words phrases) bool {
	at, k := l.find(start, from, words)
	return at >= 0 && !l.has(max(start, at-3), at, c.report.turned) &&
		!l.has(at+len(words.list[k]), from, c.tale.resumed)
}

// bygone reports whether the sentence tells what others once did: 过去，不少理财产品保本. A
// number behind 过去 makes it a window instead.
func (c *context) bygone(l *folded, start, from int) bool {
	at, k := l.find(start, from, c.tale.past)
	if at < 0 || l.has(start, from, c.tale.resumed) {
		return false
	}
	rest := at + len(c.tale.past.list[k])
	return rest < from && !isDigit(l.runes[rest]) && chineseDigit(l.runes[rest]) == 0 && l.has(rest, from, c.tale.others)
}

// verdict looks for a word that calls what stands before it unlawful, in [from, to).
func (c *context) verdict(l *folded, from, to int) bool {
	if at, _ := l.find(from, to, c.report.alone); at >= 0 && !l.has(max(from, at-3), at, c.report.turned) {
		return true
	}
	for i := from; i < to; i++ {
		at, _ := l.find(i, to, c.report.verdicts)
		if at < 0 {
			return false
		}
		said := l.has(max(from, at-5), at, c.report.copulas) || l.has(max(from, at-dateReach), at, c.report.dated)
		if said && !l.has(max(from, at-3), at, c.report.turned) {
			return true
		}
		i = at
	}
	return false
}

// quoted reports whether the word at i opens a quotation.
func (l *folded) quoted(i int) bool {
	at := l.at[i]
	if at == 0 {
		return false
	}
	switch l.original[at-1] {
	case '“', '"', '「', '『', '‘', '\'', '＂':
		return true
	}
	return false
}

// quotation returns the first character of the quotation that i stands in, i itself
// when it stands in none or at its start.
func (l *folded) quotation(i int) int {
	start := l.startOf(i, quotationReach, sentence)
	for k := i; k >= start; k-- {
		low := int32(0)
		if k > 0 {
			low = l.till[k-1]
		}
		for o := l.at[k] - 1; o >= low; o-- {
			switch l.original[o] {
			case '“', '「', '『', '‘':
				return k
			case '”', '」', '』', '’':
				return i
			}
		}
	}
	return i
}

// quotationReach is how long a quotation is read back.
const quotationReach = 20

// wished reports whether the word is the customer's wish and the sentence tells him
// that this is not for him: 如果您要求保本，本产品不适合您.
func (c *context) wished(l *folded, from, to int) bool {
	start := l.clauseStart(from)
	return l.has(start, from, c.wish.wishes) &&
		l.has(to, l.endOf(to, sentenceReach, sentence), c.wish.refusals)
}

// answered reports whether the word stands in a question that is at once answered
// with no: 基金保本吗？不保本。 问：一定能赚钱吗？答：不一定。
func (c *context) answered(l *folded, to int) bool {
	end := l.endOf(to, questionReach, clause)
	if end >= len(l.runes) || l.before[end] != sentence || !l.endsIn(end, c.wish.questions) && !l.asks(end) {
		return false
	}
	at := end + longestAt(l, end, c.wish.replies)
	for _, w := range c.wish.answers.list {
		if l.matches(at, w) {
			return true
		}
	}
	return false
}

const questionReach = 12

// asked reports whether the word stands in an open question, which claims nothing:
// 什么时候买最好？ 能不能保证收益？ 这个产品保本吗？ A question that expects yes or courts a
// wish (还在找保本产品吗) is a claim.
func (c *context) asked(l *folded, from, to int) bool {
	end := l.endOf(to, questionReach, clause)
	start := l.clauseStart(from)
	if longestBefore(l, from, c.denial.negators) > 0 || l.has(start, from, c.denial.rhetorical) {
		return false
	}
	if c.predicate(l, to, end) && !l.has(start, from, c.wish.drives) && longestAt(l, end, c.wish.assents) == 0 {
		return true
	}
	return l.asks(end) && l.has(start, end, c.wish.open)
}

// predicate reports whether [from, to) ends a question about the word before it: 的吗.
func (c *context) predicate(l *folded, from, to int) bool {
	if from >= to || !l.endsIn(to, c.wish.questions) {
		return false
	}
	for from < to-1 {
		n := longestAt(l, from, c.wish.predicates)
		if n == 0 {
			return false
		}
		from += n
	}
	return from == to-1
}

// asks reports whether a question mark stands before i.
func (l *folded) asks(i int) bool {
	stop := len(l.original)
	if i < len(l.at) {
		stop = int(l.at[i])
	}
	for k := int(l.till[i-1]); k < stop; k++ {
		if l.original[k] == '?' || l.original[k] == '？' {
			return true
		}
	}
	return false
}

// proven reports whether the sentence names a source and a date for its claim.
func (c *context) proven(l *folded, from, to int) bool {
	start, end := l.startOf(from, sentenceReach, sentence), l.endOf(to, sentenceReach, sentence)
	if !l.has(start, end, c.sources) {
		return false
	}
	digits := 0
	for _, r := range l.runes[start:end] {
		if isDigit(r) {
			digits++
		} else {
			digits = 0
		}
		if digits == 4 { // a year
			return true
		}
	}
	return false
}
