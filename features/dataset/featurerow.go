package dataset

import (
	"errors"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// FeatureRow is one row of features.csv: a cell of one of the bank's own views.
type FeatureRow struct {
	CustomerID    string
	View, Feature string
	Value         string // canonical JSON (features.CanonicalValue); null: written as unknown
	EventAt       fund.Instant
	KnownAt       fund.Instant // 0: unknown, counts as EventAt
	ValidTo       fund.Instant // 0: open
	Source        string
	Purpose       string
}

// unknownValue is what an empty value is kept as: the file says that it is unknown.
const unknownValue = "null"

// AppendCells appends the feature.
func (v *FeatureRow) AppendCells(dst []features.Cell) []features.Cell {
	return append(dst, features.Cell{
		CustomerID: v.CustomerID, View: features.View(v.View), Name: v.Feature, Value: v.Value,
		EventAt: v.EventAt, KnownAt: v.KnownAt, ValidTo: v.ValidTo, Source: v.Source, Purpose: v.Purpose,
	})
}

func featureFormat() *format[FeatureRow] {
	return &format[FeatureRow]{
		name:     "features.csv",
		columns:  []string{"customer_id", "view", "feature", "value", "event_at", "known_at", "valid_to", "source", "purpose"},
		required: 5,
		decode: func(r *row) (v FeatureRow) {
			v.CustomerID = r.id()
			v.View = r.ownView()
			v.Feature = r.id()
			v.Value = r.jsonValue()
			v.EventAt = r.requiredInstant()
			v.KnownAt, v.ValidTo = r.knownAndValid(v.EventAt)
			v.Source = r.optionalText()
			v.Purpose = r.optionalText()
			return v
		},
		encode: func(r *record, v *FeatureRow) {
			r.text(v.CustomerID)
			r.text(v.View)
			r.text(v.Feature)
			r.text(v.Value)
			r.instant(v.EventAt)
			r.instant(v.KnownAt)
			r.instant(v.ValidTo)
			r.text(v.Source)
			r.text(v.Purpose)
		},
		key: func(dst []byte, v *FeatureRow) []byte {
			return keyNumber(keyText(keyText(keyText(dst, v.CustomerID), v.View), v.Feature), int64(v.EventAt))
		},
		keyColumns: []int{0, 1, 2, 4},
		customer:   0, product: -1,
	}
}

// ownView reads the name of a view that is none of the profile's.
func (r *row) ownView() string {
	s := r.id()
	if r.err == nil && features.View(s).BuiltIn() {
		r.fail("a view of the bank's own")
	}
	return s
}

// jsonValue reads a value in JSON and brings it into its one form.
func (r *row) jsonValue() string {
	s := r.take()
	if r.absent() {
		return unknownValue
	}
	canonical, err := features.CanonicalValue(s)
	if err != nil || len(canonical) > features.MaxJSONLength {
		r.fail("a JSON text, number, true, false, null, or a list of texts, at most " + strconv.Itoa(features.MaxJSONLength) + " bytes")
		return ""
	}
	return canonical
}

// lawfulFeatures is the format of features.csv less the names that are forbidden, and what
// the catalogue of views refuses.
func (l *loader) lawfulFeatures() *format[FeatureRow] {
	f := featureFormat()
	decode := f.decode
	f.decode = func(r *row) FeatureRow {
		v := decode(r)
		if r.err != nil {
			return v
		}
		if l.options.ForbidsTag != nil && l.options.ForbidsTag(v.Feature) {
			r.failAt("feature", v.Feature, "a feature that no law forbids to keep (rule A09)")
		}
		if l.options.CheckCell != nil {
			r.checkCell(&v, l.options.CheckCell)
		}
		return v
	}
	return f
}

// checkCell fails the row with what the catalogue says of its cell.
func (r *row) checkCell(v *FeatureRow, check func(*features.Cell) error) {
	cell := v.AppendCells(nil)[0]
	err := check(&cell)
	if refused := (*features.InvalidError)(nil); errors.As(err, &refused) {
		r.failAt(refused.Field, refused.Value, refused.Expected)
	} else if err != nil {
		r.failAt("feature", v.Feature, "a cell that the catalogue takes")
	}
}
