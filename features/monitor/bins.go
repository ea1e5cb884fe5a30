package monitor

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/fundmatch/fundmatch/features/view"
)

const (
	// quantileBins is into how many parts of equal weight the baseline's numbers are cut.
	quantileBins = 10
	// maxLevels bounds the texts that have a bin of their own; the others share one.
	maxLevels = 20
	// minLevelRows is how many customers of the sample a text needs for a bin of its own:
	// rarer ones might be about one person, and no report shows those.
	minLevelRows = 10
)

// bins cut the values of one feature. The last one, after those of the values, counts the
// customers without a usable value.
type bins struct {
	kind   view.Type
	cuts   []cut    // Int, Decimal, Time: ascending
	levels []string // String, Bool, List: sorted; one more bin for all other texts
}

// cut parts the numbers at a value. Two cuts at one value make a bin of that value alone:
// so a number that many customers have does not hide what moves beside it.
type cut struct {
	at    view.Value
	below bool // the value itself belongs to the bin above the cut
}

// emptyList is the level of a list without elements. No element is a control character.
const emptyList = "\x00"

// count returns the number of bins, that of missing values included.
func (b *bins) count() int {
	switch b.kind {
	case view.Int, view.Decimal, view.Time:
		return len(b.cuts) + 2
	default:
		return len(b.levels) + 2
	}
}

// numbers reports whether the values are cut and not named.
func (b *bins) numbers() bool {
	return b.kind == view.Int || b.kind == view.Decimal || b.kind == view.Time
}

func (b *bins) missing() int { return b.count() - 1 }

// add counts a value. A list counts once for each of its elements: its bins count
// elements, and lists without any.
func (b *bins) add(counts []int64, v view.Value) {
	switch {
	case v.Type == view.List && len(v.List) > 0:
		for _, e := range v.List {
			counts[b.level(e)]++
		}
	case v.Type == view.List:
		counts[b.level(emptyList)]++
	case v.Type == view.String:
		counts[b.level(v.Text)]++
	case v.Type == view.Bool:
		counts[b.level(strconv.FormatBool(v.Int != 0))]++
	default:
		counts[b.place(v)]++
	}
}

// level returns the bin of a text.
func (b *bins) level(text string) int {
	if i, ok := slices.BinarySearch(b.levels, text); ok {
		return i
	}
	return len(b.levels)
}

// place returns the bin of a number or an instant, compared exactly: how many cuts lie below it.
func (b *bins) place(v view.Value) int {
	i, _ := slices.BinarySearchFunc(b.cuts, v, func(c cut, v view.Value) int {
		if d := c.at.Compare(v); d < 0 || d == 0 && c.below {
			return -1
		}
		return 1
	})
	return i
}

// values collects what bins are made of.
type values struct {
	kind    view.Type
	seen    int
	numbers []view.Value
	texts   map[string]int // customers who have it
}

func (s *values) add(v view.Value) {
	s.seen++
	switch v.Type {
	case view.Int, view.Decimal, view.Time:
		s.numbers = append(s.numbers, v)
	case view.String:
		s.texts[v.Text]++
	case view.List:
		if len(v.List) == 0 {
			s.texts[emptyList]++
		}
		elements := slices.Clone(v.List)
		slices.Sort(elements)
		for _, e := range slices.Compact(elements) {
			s.texts[e]++
		}
	case view.Bool: // both levels are known
	}
}

// bins cuts what was collected.
func (s *values) bins() bins {
	b := bins{kind: s.kind}
	switch s.kind {
	case view.Int, view.Decimal, view.Time:
		b.cuts = cutsOf(s.numbers)
	case view.Bool:
		b.levels = []string{"false", "true"}
	default:
		b.levels = s.levels()
	}
	return b
}

// levels returns the texts that most customers have, sorted.
func (s *values) levels() []string {
	all := slices.SortedFunc(maps.Keys(s.texts), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.texts[b], s.texts[a]), cmp.Compare(a, b))
	})
	n := 0
	for n < len(all) && n < maxLevels && s.texts[all[n]] >= minLevelRows {
		n++
	}
	kept := all[:n]
	slices.Sort(kept)
	return kept
}

// cutsOf cuts numbers above each tenth (nearest rank). A value that holds two tenths or
// more gets a bin of its own.
func cutsOf(numbers []view.Value) []cut {
	if len(numbers) == 0 {
		return nil
	}
	slices.SortFunc(numbers, view.Value.Compare)
	tenth := func(k int) view.Value { return numbers[(k*len(numbers)+quantileBins-1)/quantileBins-1] }
	var out []cut
	for k := 1; k < quantileBins; {
		at, held := tenth(k), 1
		for k+held < quantileBins && tenth(k+held).Equal(at) {
			held++
		}
		if held > 1 {
			out = append(out, cut{at, true})
		}
		out = append(out, cut{at, false})
		k += held
	}
	return out
}
