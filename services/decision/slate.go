package decision

import (
	"fmt"
	"strconv"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// slateAnswer is a recorded recommendation.
type slateAnswer matcher.Slate

func (s *slateAnswer) slate() *matcher.Slate             { return (*matcher.Slate)(s) }
func (s *slateAnswer) identity() *matcher.Identity       { return &s.Identity }
func (s *slateAnswer) AppendCanonical(dst []byte) []byte { return s.slate().AppendCanonical(dst) }

func (s *slateAnswer) again(core *matcher.Core, profile *fund.Profile) (answer, error) {
	out := new(matcher.Slate)
	return (*slateAnswer)(out), core.Match(profile, s.Request, out)
}

func (s *slateAnswer) present(out *fundmatchv1.GetDecisionResponse) {
	out.CustomerId, out.Channel, out.Audience = s.CustomerID, s.Request.Channel.String(), s.Request.Audience.String()
	out.Limit, out.Personalized, out.ValidUntil = int32(s.Request.Limit), s.Personal, wire.Timestamp(s.ValidUntil)
	for i := range s.Items {
		it := &s.Items[i]
		item := &fundmatchv1.RecordedItem{
			Rank: int32(i + 1), ProductCode: it.Code, Score: it.Score, Propensity: it.Propensity, Goal: s.Wish.Goal.String(),
			Contributions: wire.Contributions(it.Contributions), Action: it.Conversion.Action.String(),
			AmountFen: int64(it.Conversion.Quote.Suggested),
		}
		item.Objections = shownDoubts(it.Objections, s.Request.Audience)
		out.Items = append(out.Items, item)
	}
	if s.Request.Audience == wording.Manager {
		s.presentVariation(out)
	}
	for _, x := range s.Excluded {
		// Whoever read the answer may read its record: it tells him no more (C07).
		if s.Request.Audience == wording.Manager || x.ID.Tellable() {
			out.Excluded = append(out.Excluded, &fundmatchv1.Exclusion{RuleId: string(x.ID), Count: int32(x.Count)})
		}
	}
	for i := range s.Notices {
		out.Notices = append(out.Notices, s.Notices[i].Code)
	}
}

// presentVariation tells the bank's people what was left to chance, and under which arms of
// experiments the answer was made. A customer's answer says neither.
func (s *slateAnswer) presentVariation(out *fundmatchv1.GetDecisionResponse) {
	for i := range s.Request.Exposures {
		x := &s.Request.Exposures[i]
		out.Exposures = append(out.Exposures, &fundmatchv1.Exposure{Layer: x.Layer, Experiment: x.Experiment, Arm: x.Arm})
	}
	x := &s.Explored
	if x.Rank == 0 {
		return
	}
	e := &s.Request.Exploration
	out.Exploration = &fundmatchv1.RecordedExploration{
		ProbabilityBps: int32(e.Probability), Next: int32(e.Next), MaxGap: e.MaxGap, Seed: s.Request.Seed, Rank: int32(x.Rank),
	}
	for i := range x.Choices {
		c := &x.Choices[i]
		out.Exploration.Choices = append(out.Exploration.Choices, &fundmatchv1.RecordedChoice{
			ProductCode: c.Code, Score: c.Score, Propensity: c.Propensity, Drawn: i == x.Drawn,
		})
	}
	out.Items[x.Rank-1].Explored = x.Drawn > 0
}

// shownDoubts are the codes that the answer showed to its reader.
func shownDoubts(doubts []objection.Objection, audience wording.Audience) (codes []string) {
	told := objection.Silence(doubts)
	for i := range doubts {
		code := doubts[i].Code
		if audience != wording.Manager {
			face, shown := objection.Tell(&told, &doubts[i])
			if !shown {
				continue
			}
			code = face
		}
		codes = append(codes, code.String())
	}
	return codes
}

// differences: standing, order, scores, actions.
func (s *slateAnswer) differences(other answer) []string {
	again, ok := other.(*slateAnswer)
	if !ok {
		return nil
	}
	var out differing
	out.add("personalized", strconv.FormatBool(s.Personal), strconv.FormatBool(again.Personal))
	out.add("information", strconv.FormatBool(s.Information), strconv.FormatBool(again.Information))
	out.add("validUntil", s.ValidUntil.String(), again.ValidUntil.String())
	out.add("items", strconv.Itoa(len(s.Items)), strconv.Itoa(len(again.Items)))
	for i := range min(len(s.Items), len(again.Items)) {
		was, is, at := &s.Items[i], &again.Items[i], "item "+strconv.Itoa(i+1)+" "
		out.add(at+"product", was.Code, is.Code)
		out.add(at+"score", formatNumber(was.Score), formatNumber(is.Score))
		out.add(at+"propensity", formatNumber(was.Propensity), formatNumber(is.Propensity))
		out.add(at+"action", was.Conversion.Action.String(), is.Conversion.Action.String())
		out.add(at+"amount", fen(was.Conversion.Quote.Suggested), fen(is.Conversion.Quote.Suggested))
		out.add(at+"objections", strconv.Itoa(len(was.Objections)), strconv.Itoa(len(is.Objections)))
	}
	out.add("choices at the explored place", strconv.Itoa(len(s.Explored.Choices)), strconv.Itoa(len(again.Explored.Choices)))
	out.add("draw at the explored place", strconv.Itoa(s.Explored.Drawn), strconv.Itoa(again.Explored.Drawn))
	out.add("excluding rules", fmt.Sprint(s.Excluded), fmt.Sprint(again.Excluded))
	return out.list()
}

func formatNumber(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
