package conduct

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/share"
)

// MaxCodes is how many products or issuers a concentration tells apart. With more its figures are withheld.
const MaxCodes = 1 << 16

// Concentration counts rows by product or by issuer.
type Concentration struct {
	Rows    int64            `json:"rows"`    // with a code
	Unknown int64            `json:"unknown"` // without
	Codes   map[string]int64 `json:"codes,omitempty"`
	TooMany bool             `json:"too_many,omitempty"` // more than MaxCodes: they are no longer told apart
}

// add counts the rows in a scope by code; "" is one that is not known.
func (c *Concentration) add(t *Text, in []share.Answer) {
	if t == nil {
		return
	}
	counts := make([]int64, len(t.Names))
	for i, a := range in {
		if a == share.Yes {
			counts[t.Values[i]]++
		}
	}
	for code, n := range counts {
		switch {
		case n == 0:
		case t.Names[code] == "":
			c.Unknown += n
		default:
			c.Rows += n
			c.put(shown(t.Names[code]), n)
		}
	}
}

func (c *Concentration) put(code string, n int64) {
	if c.TooMany {
		return
	}
	if c.Codes == nil {
		c.Codes = map[string]int64{}
	}
	if _, there := c.Codes[code]; !there && len(c.Codes) == MaxCodes {
		c.Codes, c.TooMany = nil, true
		return
	}
	c.Codes[code] += n
}

// merge adds another's counts. Whether there are too many codes is a matter of all of them together, not of their order.
func (c *Concentration) merge(o *Concentration) {
	c.Rows += o.Rows
	c.Unknown += o.Unknown
	if o.TooMany {
		c.Codes, c.TooMany = nil, true
	}
	for code, n := range o.Codes {
		c.put(code, n)
	}
}

// Part is one product or issuer and its share of the rows.
type Part struct {
	Code string
	Rows int64
}

// Largest are the codes with the most rows, at most so many; those with the same by their code.
func (c *Concentration) Largest(most int) []Part {
	parts := make([]Part, 0, len(c.Codes))
	for _, code := range slices.Sorted(maps.Keys(c.Codes)) {
		parts = append(parts, Part{Code: code, Rows: c.Codes[code]})
	}
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(b.Rows, a.Rows) })
	return parts[:min(most, len(parts))]
}

// HHI is the Herfindahl-Hirschman index, the sum of squared shares: 1 is all of one code, 1/n the same for each of n
// (Hirschman, American Economic Review 54 (1964) 761). False: there is no row with a code, or there are too many codes.
func (c *Concentration) HHI() (float64, bool) {
	if c.TooMany || c.Rows == 0 {
		return 0, false
	}
	counts := slices.Sorted(maps.Values(c.Codes)) // the smallest first: the same sum whatever the codes are called
	sum := 0.
	for _, n := range counts {
		p := float64(n) / float64(c.Rows)
		sum += float64(p * p)
	}
	return sum, true
}

// check refuses what no rows give.
func (c *Concentration) check() bool {
	if c.Rows < 0 || c.Unknown < 0 || len(c.Codes) > MaxCodes || c.TooMany && len(c.Codes) > 0 {
		return false
	}
	left := c.Rows
	for code, n := range c.Codes {
		if code == "" || len(code) > 3*maxText || code != strings.ToValidUTF8(code, "") || n < 1 || n > left {
			return false
		}
		left -= n
	}
	return c.TooMany || left == 0
}
