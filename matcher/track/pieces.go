package track

import "github.com/fundmatch/fundmatch/matcher/fund"

// Piece is a stretch of a record without a gap: what 1 was worth on the days of its NAVs.
type Piece struct {
	Days   []fund.Date
	Wealth []float64
}

// Pieces returns the stretches of a record between its gaps, oldest first, of the NAVs dated
// before a day. A record whose NAVs are on no clear basis has none: no figure of it can be
// trusted. Errors are those of Compute.
func Pieces(navs []fund.NAV, asOf fund.Date) ([]Piece, error) {
	record, err := Compute(navs, asOf, Settings{})
	if err != nil || record.Payouts.Drifts {
		return nil, err
	}
	ends := make([]fund.Date, 0, len(record.Gaps)+1)
	for _, gap := range record.Gaps {
		ends = append(ends, gap.To) // as of then, the stretch before the gap is the last
	}
	var out []Piece
	for _, end := range append(ends, asOf) {
		days, wealth, err := Wealth(navs, end)
		if err != nil {
			return nil, err
		}
		if len(days) > 0 {
			out = append(out, Piece{Days: days, Wealth: wealth})
		}
	}
	return out, nil
}
