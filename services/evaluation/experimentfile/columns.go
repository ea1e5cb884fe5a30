package experimentfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
)

// Options name the columns to read.
type Options struct {
	Metrics  []string // nil: DefaultMetric
	Pre      string   // of before the experiment, for all metrics; "": of each metric PrePrefix and its name, where that is there
	Segments []string // nil: DefaultSegment, where that is there
}

// wanted are the columns that are looked for, each once: the customer, the arm, and those of Options.
type wanted struct {
	names    []string
	optional []bool
	metrics  []string
	pre      []string // by metric
	segments []string
}

func (o Options) wanted() (*wanted, error) {
	w := &wanted{metrics: slices.Clone(o.Metrics), segments: slices.Clone(o.Segments)}
	if len(w.metrics) == 0 {
		w.metrics = []string{DefaultMetric}
	}
	w.want(ColumnCustomer, false)
	w.want(ColumnArm, false)
	for _, m := range w.metrics {
		w.want(m, false)
	}
	for _, m := range w.metrics {
		pre, optional := o.Pre, false
		if pre == "" {
			pre, optional = PrePrefix+m, true
		}
		w.pre = append(w.pre, pre)
		w.want(pre, optional)
	}
	if len(w.segments) == 0 {
		w.segments = []string{DefaultSegment}
		w.want(DefaultSegment, true)
	}
	for _, s := range w.segments {
		w.want(s, false)
	}
	for _, name := range slices.Concat(w.metrics, w.pre, w.segments) {
		if name == ColumnCustomer || name == ColumnArm || name == "" {
			return nil, fmt.Errorf("%w: column %q, expected another than %s and %s", experiments.ErrConfig, name, ColumnCustomer, ColumnArm)
		}
	}
	return w, nil
}

// want adds a column that is not there yet.
func (w *wanted) want(name string, optional bool) {
	if !slices.Contains(w.names, name) {
		w.names, w.optional = append(w.names, name), append(w.optional, optional)
	}
}

// find says where the columns stand among those of a file, -1 for one that is absent and may be.
func (w *wanted) find(file string, header []string) ([]int, error) {
	if len(header) > MaxColumns {
		return nil, headError(file, "", fmt.Sprintf("%d columns", len(header)), fmt.Sprintf("at most %d", MaxColumns))
	}
	for i, name := range header {
		if slices.Contains(header[:i], name) {
			return nil, headError(file, name, "the column comes twice", "different columns")
		}
	}
	at := make([]int, len(w.names))
	for i, name := range w.names {
		at[i] = slices.Index(header, name)
		if at[i] < 0 && !w.optional[i] {
			return nil, headError(file, name, "the column is missing", "the columns "+strings.Join(w.required(), " "))
		}
	}
	return at, nil
}

func (w *wanted) required() (names []string) {
	for i, name := range w.names {
		if !w.optional[i] {
			names = append(names, name)
		}
	}
	return names
}

// headError is about a file's columns. No row means anything then.
func headError(file, column, problem, want string) error {
	if column != "" {
		column = ": " + column
	}
	return fmt.Errorf("%w: %s%s: %.80s, expected %s", experiments.ErrData, file, column, problem, want)
}
