package fund_test

import (
	"errors"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestChannelsAndInitiativesReadBack(t *testing.T) {
	for _, c := range []fund.Channel{fund.ChannelUnknown, fund.App, fund.Branch} {
		if got, err := fund.ParseChannel(c.String()); got != c || err != nil {
			t.Errorf("%q: %v, %v", c, got, err)
		}
	}
	for _, i := range []fund.Initiative{fund.ByFirm, fund.ByCustomer} {
		if got, err := fund.ParseInitiative(i.String()); got != i || err != nil {
			t.Errorf("%q: %v, %v", i, got, err)
		}
	}
	if got, err := fund.ParseInitiative(""); got != fund.ByFirm || err != nil {
		t.Errorf("an initiative that cannot be shown: %v, %v, expected the firm's", got, err)
	}
	for _, s := range []string{"app", "WEB", "APP "} {
		if _, err := fund.ParseChannel(s); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("channel %q: %v", s, err)
		}
		if _, err := fund.ParseInitiative(s); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("initiative %q: %v", s, err)
		}
	}
}
