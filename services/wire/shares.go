package wire

import (
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	sharesPerUnit = 10_000
	shareDigits   = 4
	// maxShares is the largest number of shares of one lot, in 1/10000 of a share: the
	// twelve digits before the point that ParseShares takes.
	maxShares = 100_000_000_000 * sharesPerUnit
)

// SharesExpected says to a caller what ParseShares takes.
const SharesExpected = "a number from 0 to 100000000000 of at most 4 decimal places"

// Shares writes shares as ParseShares reads them, without needless zeros.
func Shares(s fund.Shares) string {
	text := strconv.FormatInt(int64(s)/sharesPerUnit, 10)
	if part := int64(s) % sharesPerUnit; part != 0 {
		digits := strconv.FormatInt(sharesPerUnit+part, 10)[1:]
		text += "." + strings.TrimRight(digits, "0")
	}
	return text
}

// ParseShares reads digits with at most four decimals: no sign, no exponent.
func ParseShares(s string) (fund.Shares, bool) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || len(whole) > 12 || point && (fraction == "" || len(fraction) > shareDigits) {
		return 0, false
	}
	digits := whole + fraction + "0000"[len(fraction):]
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return fund.Shares(n), err == nil && n <= maxShares
}
