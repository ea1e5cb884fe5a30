package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// The talk card: an answer as a person reads it, in zh-CN as all text for customers is.

// card builds a text. Values come from files of the bank, so that control characters,
// which a terminal would obey, are left out.
type card struct{ b strings.Builder }

func (c *card) line(indent int, format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = printable(s)
		}
	}
	c.b.WriteString(strings.Repeat("  ", indent))
	fmt.Fprintf(&c.b, format, args...)
	c.b.WriteByte('\n')
}

// textLine writes a line unless its text is empty.
func (c *card) textLine(indent int, label, text string) {
	if text != "" {
		c.line(indent, "%s%s", label, text)
	}
}

func (c *card) writeTo(w io.Writer) error {
	_, err := io.WriteString(w, c.b.String())
	return err
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// printCard prints a recommendation.
func (p *program) printCard(a *fundmatchv1.RecommendResponse) error { return writeAnswer(p.stdout, a) }

// printExplanation prints why and why not.
func (p *program) printExplanation(a *fundmatchv1.ExplainResponse) error {
	return writeExplanation(p.stdout, a)
}

// writeAnswer writes a recommendation as its reader sees it: a manager a talk card an
// item, below what he must know of the customer; the customer what is his to see.
func writeAnswer(w io.Writer, a *fundmatchv1.RecommendResponse) error {
	var c card
	kind := "个性化"
	if !a.GetPersonalized() {
		kind = "非个性化"
	}
	c.line(0, "客户 %s　%s　%s", a.GetCustomerId(), shanghai(a.GetDecidedAt().AsTime()), kind)
	c.line(0, "决策 %s", a.GetDecisionId())
	if until := a.GetValidUntil(); until != nil {
		c.line(0, "有效至 %s", shanghai(until.AsTime()))
	}
	for _, n := range a.GetNotices() {
		c.line(0, "提示 %s（%s）", n.GetText(), n.GetCode())
	}
	c.brief(a.GetBrief())
	c.holdings(a.GetHoldings())
	for _, it := range a.GetItems() {
		c.line(0, "")
		c.item(it, a.GetPresentation().GetPlainWords() && a.GetAudience() != "MANAGER")
	}
	if len(a.GetItems()) == 0 {
		c.line(0, "没有可以推荐的产品。")
	}
	c.line(0, "")
	for _, d := range a.GetDisclosures() {
		c.textLine(0, "", d.GetText())
	}
	c.textLine(0, "", a.GetPresentation().GetHumanRoute())
	if len(a.GetExcluded()) > 0 {
		parts := make([]string, len(a.GetExcluded()))
		for i, x := range a.GetExcluded() {
			parts[i] = x.GetRuleId() + " " + strconv.Itoa(int(x.GetCount()))
		}
		c.line(0, "规则排除的产品数：%s", strings.Join(parts, "，"))
	}
	return c.writeTo(w)
}

// item writes one product; in plain words without its score, which needs explaining.
func (c *card) item(it *fundmatchv1.Item, plain bool) {
	if plain {
		c.line(0, "%d. %s", it.GetRank(), productLine(it.GetProduct()))
	} else {
		c.line(0, "%d. %s　得分 %s", it.GetRank(), productLine(it.GetProduct()), number(it.GetScore()))
		c.contributions(1, it.GetContributions())
	}
	c.why(it.GetWhy())
	c.steps(it.GetExpectation(), it.GetObjections(), it.GetConversion())
	c.talkCard(it.GetTalkCard())
}

func (c *card) why(reasons []string) {
	for _, text := range reasons {
		c.line(1, "因　%s", text)
	}
}

func productLine(p *fundmatchv1.ProductSummary) string {
	parts := []string{p.GetName() + "（" + p.GetCode() + "）", p.GetRiskGrade(), p.GetType()}
	if p.GetNewIssue() {
		parts = append(parts, "新发")
	}
	return strings.Join(parts, "　")
}

// steps writes 接, 化 and 发.
func (c *card) steps(e *fundmatchv1.Expectation, objections []*fundmatchv1.Objection, v *fundmatchv1.Conversion) {
	c.textLine(1, "接　", e.GetHeadline())
	c.textLine(2, "根据：", e.GetReason())
	for _, m := range e.GetMatched() {
		if m.GetMet() {
			c.textLine(2, "· ", m.GetText())
		} else {
			c.textLine(2, "× ", m.GetText())
		}
	}
	c.textLine(2, "问：", e.GetQuestion())
	for _, o := range objections {
		c.line(1, "化　【%s】%s", objectionName(o.GetCode()), o.GetAnswer())
		c.doubt(o)
	}
	c.line(1, "发　【%s】%s", actionName(v.GetAction()), v.GetText())
	c.textLine(2, "说明：", v.GetManagerText())
	if v.Probability != nil { // managers only; 0 is an answer, absent is none
		c.line(2, "下单可能：%.1f%%，按本行以往的情况估计，只供您参考，不要讲给客户。", 100*v.GetProbability())
	}
	for i, s := range v.GetSteps() {
		c.line(2, "%d) %s", i+1, s.GetText())
	}
	c.followUp(v.GetFollowUp())
}

func (c *card) contributions(indent int, list []*fundmatchv1.Contribution) {
	for _, x := range list {
		c.line(indent, "%-14s %s × %s = %s", x.GetFeature(), number(x.GetValue()), number(x.GetWeight()), number(x.GetContribution()))
	}
}

// holdings writes a word about each thing that he holds and that is worth one.
func (c *card) holdings(list []*fundmatchv1.HoldingReview) {
	if len(list) == 0 {
		return
	}
	c.line(0, "")
	c.line(0, "已经持有的")
	for _, h := range list {
		c.line(1, "【%s】%s　%s", actionName(h.GetAction()), productLine(h.GetProduct()), h.GetText())
		c.evidence(2, h.GetManagerEvidence())
	}
}

// writeExplanation writes why and why not.
func writeExplanation(w io.Writer, a *fundmatchv1.ExplainResponse) error {
	var c card
	c.line(0, "客户 %s　%s", a.GetCustomerId(), shanghai(a.GetAt().AsTime()))
	c.line(0, "产品 %s", productLine(a.GetProduct()))
	c.conclusion(a)
	c.brief(a.GetBrief())
	c.findings("推荐时的规则", a.GetFindings())
	c.findings("客户主动购买时的规则", a.GetOrderFindings())
	c.line(0, "得分构成")
	c.contributions(1, a.GetContributions())
	c.line(0, "依据")
	c.evidence(1, a.GetEvidence())
	c.why(a.GetWhy())
	c.steps(a.GetExpectation(), a.GetObjections(), a.GetConversion())
	c.talkCard(a.GetTalkCard())
	if len(a.GetAssumed()) > 0 {
		c.line(0, "银行未提供、按假定处理的资料：%s", strings.Join(a.GetAssumed(), "，"))
	}
	return c.writeTo(w)
}

// conclusion says whether and why not before anything else.
func (c *card) conclusion(a *fundmatchv1.ExplainResponse) {
	switch first := a.GetStrongest(); {
	case first == nil && a.GetPermitted():
		c.line(0, "结论　可以推荐")
	case first == nil:
		c.line(0, "结论　不推荐")
	case a.GetPermitted():
		c.line(0, "结论　可以推荐；客户主动购买时：%s", said(first))
	case a.GetOrderVerdict() == "BLOCK":
		c.line(0, "结论　不推荐，也不能购买：%s", said(first))
	default:
		c.line(0, "结论　不推荐：%s", said(first))
	}
	c.textLine(1, "出路：", a.GetStrongest().GetRemedy().GetText())
	c.line(1, "推荐 %s　客户主动购买 %s　得分 %s", a.GetVerdict(), a.GetOrderVerdict(), number(a.GetScore()))
}

// said is a finding's sentence for whoever reads it.
func said(f *fundmatchv1.Finding) string {
	return cmp.Or(f.GetText(), f.GetCustomerText(), f.GetRuleId())
}

func (c *card) findings(title string, list []*fundmatchv1.Finding) {
	if len(list) == 0 {
		return
	}
	c.line(0, "%s", title)
	for _, f := range list {
		c.line(1, "%s %s　%s", f.GetRuleId(), f.GetOutcome(), said(f))
		c.textLine(2, "事实：", strings.Join(f.GetFacts(), "，"))
		parameters := make([]string, len(f.GetParameters()))
		for i, p := range f.GetParameters() {
			parameters[i] = p.GetName() + "=" + p.GetValue()
		}
		c.textLine(2, "参数：", strings.Join(parameters, "，"))
		c.textLine(2, "出路：", f.GetRemedy().GetText())
		c.textLine(2, "可改变：", f.GetChange())
		if f.GetText() != "" {
			c.textLine(2, "可对客户说：", f.GetCustomerText())
		}
		if f.GetCitation() != "" {
			c.line(2, "依据：%s [%d]", f.GetCitation(), f.GetSourceMark())
		}
	}
}

// number writes a figure for reading; --json has all its digits.
func number(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }

// shanghai writes an instant in China's time, which has had no summer time since 1991.
func shanghai(t time.Time) string {
	return t.In(time.FixedZone("CST", 8*60*60)).Format("2006-01-02 15:04:05")
}
