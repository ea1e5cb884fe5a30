package policylog

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/services/evaluation/parquetfile"
)

// The places of the columns that every log has in a plan and in a record. Columns of text follow, then columns of
// numbers, in the order in which they were asked for.
const (
	slotDecision = iota
	slotCustomer
	slotAt
	slotPosition
	slotProduct
	slotReward
	slotPropensity
	slotTarget
	slotOthers
)

// maxAsked bounds the columns that may be asked for.
const maxAsked = 200

// plan is what is read of each file: Options, checked.
type plan struct {
	columns   []wanted // by slot
	texts     int      // columns[slotOthers:][:texts] are texts, the rest numbers
	target    bool
	skipBad   bool
	ranged    bool
	low, high float64
	blockRows int
	pages     parquetfile.Memory // of all files
}

// wanted is one column that is read.
type wanted struct {
	name   string
	number bool
	needed bool
}

func newPlan(o *Options) (*plan, error) {
	p := &plan{
		target: o.Target || o.OptionalTarget, skipBad: o.SkipBad, low: o.RewardLow, high: o.RewardHigh, blockRows: o.blockRows,
		texts: len(o.Texts) + len(o.OptionalTexts),
	}
	if p.blockRows == 0 {
		p.blockRows = BlockRows
	}
	if p.ranged = o.RewardLow != 0 || o.RewardHigh != 0; p.ranged && !(o.RewardLow <= o.RewardHigh) || math.IsInf(o.RewardLow-o.RewardHigh, 0) {
		return nil, fmt.Errorf("range of rewards %v to %v: expected two finite numbers, the lower first", o.RewardLow, o.RewardHigh)
	}
	for _, name := range []string{ColumnDecisionID, ColumnCustomerID, ColumnDecidedAt} {
		p.want(false, true, name)
	}
	p.want(true, true, ColumnPosition)
	p.want(false, true, ColumnProduct)
	p.want(true, true, ColumnReward, ColumnPropensity)
	p.want(true, o.Target, ColumnTarget)
	p.want(false, true, o.Texts...)
	p.want(false, false, o.OptionalTexts...)
	p.want(true, true, o.Numbers...)
	p.want(true, false, o.OptionalNumbers...)
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *plan) want(number, needed bool, names ...string) {
	for _, n := range names {
		p.columns = append(p.columns, wanted{name: n, number: number, needed: needed})
	}
}

func (p *plan) check() error {
	if n := len(p.columns) - slotOthers; n > maxAsked {
		return fmt.Errorf("%d columns besides those of every log: at most %d can be read", n, maxAsked)
	}
	for i, c := range p.columns {
		if c.name == "" {
			return fmt.Errorf("a column without a name is asked for")
		}
		if slices.ContainsFunc(p.columns[:i], func(o wanted) bool { return o.name == c.name }) {
			return fmt.Errorf("column %s is asked for twice", c.name)
		}
	}
	return nil
}

// slot is the place of a column that is read; -1 for others.
func (p *plan) slot(name string) int {
	for i, c := range p.columns {
		if c.name == name && (i != slotTarget || p.target) {
			return i
		}
	}
	return -1
}

// checkColumns reports a column that stands twice in a file, and a needed one that does not stand there.
func (p *plan) checkColumns(file string, columns []string) error {
	for i, c := range columns {
		if slices.Contains(columns[:i], c) {
			return &FileError{File: file, Column: shown([]byte(c)), Found: "there twice", Want: "once"}
		}
	}
	for i, c := range p.columns {
		if c.needed && (i != slotTarget || p.target) && !slices.Contains(columns, c.name) {
			return &FileError{File: file, Column: c.name, Found: "not there", Want: "one of the columns: " + listed(columns)}
		}
	}
	return nil
}

// listed are the names of columns as far as they can be shown.
func listed(columns []string) string {
	const enough = 700 // bytes
	var s strings.Builder
	for i, c := range columns {
		if s.Len() > enough {
			s.WriteString(", and " + strconv.Itoa(len(columns)-i) + " more")
			break
		}
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(shown([]byte(c)))
	}
	return s.String()
}
