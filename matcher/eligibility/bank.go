package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

func highRisk(*Edition, fund.Date) []part      { return nil }
func tested(*Edition, fund.Date) []part        { return nil }
func ownChannels(*Edition, fund.Date) []part   { return nil }
func licensed(*Edition, fund.Date) []part      { return nil }
func checksOpen(*Edition, fund.Date) []part    { return nil }
func noDeposit(*Edition, fund.Date) []part     { return nil }
func algorithmic(*Edition, fund.Date) []part   { return nil }
func elderMode(*Edition, fund.Date) []part     { return nil }
func feesCapped(*Edition, fund.Date) []part    { return nil }
func exitFeesKept(*Edition, fund.Date) []part  { return nil }
func redeemedToBuy(*Edition, fund.Date) []part { return nil }
