package customer

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

const maxTagsPerCall = 100

func checkID(field, id string) error {
	if fund.CheckID(id) != nil {
		return features.Invalid(field, id, "1 to 64 of 0-9 A-Z a-z . _ - that begin with a letter or digit")
	}
	return nil
}

// checkText accepts printable text of least to fund.MaxTextLength characters. Control
// characters are refused: they have no meaning here, and some end up in logs and files.
func checkText(field, s string, least int) error {
	n := utf8.RuneCountInString(s)
	if utf8.ValidString(s) && n >= least && n <= fund.MaxTextLength && strings.IndexFunc(s, unicode.IsControl) < 0 {
		return nil
	}
	return features.Invalid(field, strings.ToValidUTF8(s, "\uFFFD"),
		strconv.Itoa(least)+" to "+strconv.Itoa(fund.MaxTextLength)+" characters without control characters")
}

// checkTagName keeps names within what a cell's name may be.
func checkTagName(field, s string) error {
	if len(s) > features.MaxNameLength {
		return features.Invalid(field, strings.ToValidUTF8(s, "\uFFFD"), "at most "+strconv.Itoa(features.MaxNameLength)+" bytes of UTF-8")
	}
	return checkText(field, s, 1)
}

// element names one element of a list as callers write it.
func element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// addTag checks one tag and adds its cell.
func (w *write) addTag(field string, t *fundmatchv1.Tag) error {
	if err := checkTagName(field+".name", t.GetName()); err != nil {
		return err
	}
	for _, text := range [...]struct {
		name, value string
		least       int
	}{{".value", t.GetValue(), 1}, {".source", t.GetSource(), 0}, {".purpose", t.GetPurpose(), 0}} {
		if err := checkText(field+text.name, text.value, text.least); err != nil {
			return err
		}
	}
	at, err := w.eventTime(field+".eventAt", t.GetEventAt())
	if err != nil {
		return err
	}
	validTo := fund.Instant(0)
	if t.GetValidTo() != nil {
		if validTo, err = instant(field+".validTo", t.GetValidTo()); err != nil {
			return err
		}
		if validTo <= at {
			return features.Invalid(field+".validTo", validTo.String(), "a time after eventAt")
		}
	}
	w.add(features.Cell{
		View: features.TagView, Name: t.GetName(), Value: t.GetValue(), EventAt: at, ValidTo: validTo,
		Source: t.GetSource(), Purpose: t.GetPurpose(),
	})
	return nil
}

// assessmentValue checks an assessment and returns its cell's value.
func assessmentValue(req *fundmatchv1.PutRiskAssessmentRequest, at fund.Instant) (string, error) {
	level, err := fund.ParseRiskLevel(req.GetRiskLevel())
	if err != nil || level == fund.LevelUnknown {
		return "", features.Invalid("riskLevel", req.GetRiskLevel(), "C1 to C5")
	}
	channel, err := fund.ParseChannel(req.GetChannel())
	if err != nil {
		return "", features.Invalid("channel", req.GetChannel(), "APP, BRANCH or nothing")
	}
	if err := checkText("questionnaireVersion", req.GetQuestionnaireVersion(), 0); err != nil {
		return "", err
	}
	return jsonText(features.AssessmentValue{
		Level: level.String(), On: at.Date().String(),
		Questionnaire: req.GetQuestionnaireVersion(), Channel: channel.String(),
	})
}

// holdingsValue checks a batch of lots and returns its cell's value, in the order of
// features.CompareLots, so that the order of the request does not matter.
func holdingsValue(req *fundmatchv1.PutHoldingsRequest, at fund.Instant) (string, error) {
	if err := checkText("batchId", req.GetBatchId(), 0); err != nil {
		return "", err
	}
	if n := len(req.GetLots()); n > fund.MaxLots {
		return "", features.Invalid("lots", strconv.Itoa(n)+" lots", "at most "+strconv.Itoa(fund.MaxLots)+" lots")
	}
	if len(req.GetLots()) == 0 && req.GetBatchId() == "" {
		// An empty body looks the same: nothing is wiped by an omission.
		return "", features.Invalid("lots", "none", "the lots, or the batchId of the posting that says that the customer holds nothing")
	}
	lots := make([]fund.Lot, len(req.GetLots()))
	seen := make(map[string]bool, len(lots))
	for i, l := range req.GetLots() {
		field := element("lots", i)
		lot, err := lotOf(field, l, at)
		if err != nil {
			return "", err
		}
		name := features.LotName(lot.ProductCode, lot.AcquiredOn, lot.Account)
		if seen[name] {
			return "", features.Invalid(field, name, "each product, day and account once")
		}
		seen[name] = true
		lot.BatchID = req.GetBatchId()
		lots[i] = lot
	}
	slices.SortFunc(lots, features.CompareLots)
	values := make([]features.LotValue, len(lots))
	for i := range lots {
		values[i] = features.LotValueOf(lots[i])
	}
	text, err := jsonText(values)
	if err == nil && len(text) > features.MaxSnapshotLength {
		return "", features.Invalid("lots", strconv.Itoa(len(text))+" bytes", "at most "+strconv.Itoa(features.MaxSnapshotLength)+" bytes as stored")
	}
	return text, err
}

func lotOf(field string, l *fundmatchv1.Lot, at fund.Instant) (fund.Lot, error) {
	if err := checkID(field+".productCode", l.GetProductCode()); err != nil {
		return fund.Lot{}, err
	}
	shares, ok := wire.ParseShares(l.GetShares())
	if !ok {
		return fund.Lot{}, features.Invalid(field+".shares", l.GetShares(), wire.SharesExpected)
	}
	day, err := fund.ParseDate(l.GetAcquiredOn())
	if err != nil || day == 0 || day > at.Date() {
		return fund.Lot{}, features.Invalid(field+".acquiredOn", l.GetAcquiredOn(), "a date YYYY-MM-DD not after eventAt")
	}
	if cost := l.GetCostFen(); cost < 0 || cost > int64(fund.MaxMoney) {
		return fund.Lot{}, features.Invalid(field+".costFen", strconv.FormatInt(cost, 10), "0 to "+strconv.FormatInt(int64(fund.MaxMoney), 10)+" fen")
	}
	if err := checkText(field+".account", l.GetAccount(), 0); err != nil {
		return fund.Lot{}, err
	}
	return fund.Lot{ProductCode: l.GetProductCode(), Shares: shares, AcquiredOn: day, Cost: fund.Money(l.GetCostFen()), Account: l.GetAccount()}, nil
}

// needs checks what the customer says that he wants.
func needs(req *fundmatchv1.PutGoalsRequest) (fund.StatedNeeds, error) {
	n := fund.StatedNeeds{HorizonMonths: req.GetHorizonMonths()}
	if len(req.GetGoals()) == 0 && n.HorizonMonths == 0 && req.GetLiquidityNeed() == "" {
		// An empty body looks the same: nothing is wiped by an omission.
		return n, features.Invalid("goals", "nothing", "at least one of goals, horizonMonths and liquidityNeed")
	}
	seen := fund.GoalSet(0)
	for i, text := range req.GetGoals() {
		g, err := fund.ParseGoal(text)
		if err != nil || g == fund.GoalUnknown || seen.Has(g) {
			return n, features.Invalid(element("goals", i), text,
				"different goals of CASH STEADY_INCOME GROWTH EDUCATION RETIREMENT INFLATION HOUSE TAX_DEFERRED_PENSION TREASURY")
		}
		seen = seen.With(g)
		n.Goals = append(n.Goals, g)
	}
	if n.HorizonMonths < 0 || n.HorizonMonths > fund.MaxHorizonMonths {
		return n, features.Invalid("horizonMonths", strconv.Itoa(int(n.HorizonMonths)), "0 to "+strconv.Itoa(fund.MaxHorizonMonths)+" months")
	}
	need, err := fund.ParseNeed(req.GetLiquidityNeed())
	if err != nil {
		return n, features.Invalid("liquidityNeed", req.GetLiquidityNeed(), "LOW, MEDIUM, HIGH or nothing")
	}
	n.Liquidity = need
	return n, nil
}

func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
