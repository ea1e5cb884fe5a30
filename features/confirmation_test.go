package features_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// goodConfirmation is one given in a branch.
func goodConfirmation() features.Confirmation {
	return features.Confirmation{
		ID: "018f0000-0000-7000-8000-000000000001", CustomerID: "c1", RuleID: "S03", Reason: "GRADE_ABOVE_LEVEL", ProductCode: "P1",
		Grade: fund.R4, Level: fund.C3, Amount: 1, DecisionID: "018f0000-0000-7000-8000-00000000000d", Channel: "BRANCH",
		RecordingID: "rec-1", ManagerID: "m1", AskedAt: 5, ConfirmedAt: 6, ExpiresAt: 7,
	}
}

func TestConfirmationsAreCheckedAsTheyCome(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(c *features.Confirmation)
		good   bool
	}{
		{"a word in the branch", func(*features.Confirmation) {}, true},
		{"a word in the app", func(c *features.Confirmation) {
			c.Channel, c.RecordingID, c.ManagerID, c.Trace = "APP", "", "", "t"
		}, true},
		{"a review", func(c *features.Confirmation) {
			c.Channel, c.RecordingID, c.ManagerID, c.ReviewerID = "", "", "", "r1"
		}, true},
		{"confirmed when it was asked", func(c *features.Confirmation) { c.ConfirmedAt = c.AskedAt }, true},
		{"no level, no amount, no reason", func(c *features.Confirmation) { c.Level, c.Amount, c.Reason = 0, 0, "" }, true},

		{"no id", func(c *features.Confirmation) { c.ID = "" }, false},
		{"an id of another version", func(c *features.Confirmation) { c.ID = "018f0000-0000-4000-8000-000000000001" }, false},
		{"an id in capitals", func(c *features.Confirmation) { c.ID = strings.ToUpper(c.ID) }, false},
		{"an id in braces", func(c *features.Confirmation) { c.ID = "{" + c.ID + "}" }, false},
		{"no customer", func(c *features.Confirmation) { c.CustomerID = "" }, false},
		{"no rule", func(c *features.Confirmation) { c.RuleID = "" }, false},
		{"no product", func(c *features.Confirmation) { c.ProductCode = "" }, false},
		{"no decision", func(c *features.Confirmation) { c.DecisionID = "" }, false},
		{"no grade", func(c *features.Confirmation) { c.Grade = 0 }, false},
		{"a grade above R5", func(c *features.Confirmation) { c.Grade = fund.R5 + 1 }, false},
		{"a level above C5", func(c *features.Confirmation) { c.Level = fund.C5 + 1 }, false},
		{"a negative amount", func(c *features.Confirmation) { c.Amount = -1 }, false},
		{"too large an amount", func(c *features.Confirmation) { c.Amount = fund.MaxMoney + 1 }, false},
		{"never asked", func(c *features.Confirmation) { c.AskedAt = 0 }, false},
		{"confirmed before it was asked", func(c *features.Confirmation) { c.ConfirmedAt = 4 }, false},
		{"expired when it was confirmed", func(c *features.Confirmation) { c.ExpiresAt = 6 }, false},
		{"used already", func(c *features.Confirmation) { c.UsedBy = "d1" }, false},
		{"used at a time", func(c *features.Confirmation) { c.UsedAt = 6 }, false},
		{"an unknown channel", func(c *features.Confirmation) { c.Channel = "PHONE" }, false},
		{"no recording in the branch", func(c *features.Confirmation) { c.RecordingID = "" }, false},
		{"no manager in the branch", func(c *features.Confirmation) { c.ManagerID = "" }, false},
		{"no trace in the app", func(c *features.Confirmation) { c.Channel = "APP" }, false},
		{"no proof at all", func(c *features.Confirmation) { c.Channel = "" }, false},
		{"a reviewer that is no id", func(c *features.Confirmation) { c.ReviewerID = "a b" }, false},
		{"a trace with a zero byte", func(c *features.Confirmation) { c.Trace = "a\x00" }, false},
		{"too long a recording", func(c *features.Confirmation) { c.RecordingID = strings.Repeat("x", 257) }, false},
	} {
		word := goodConfirmation()
		c.change(&word)
		err := word.Check()
		if c.good && err != nil || !c.good && !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
