package evaluation_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/services/evaluation"
)

// forecastLog is a log of four forecasts that came true or not, one that is not known yet, and one row without.
func forecastLog(t *testing.T, cells ...string) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("decision_id,customer_id,decided_at,position,product_code,reward,propensity,conversion_probability,confirmed\n")
	for i, cell := range cells {
		fmt.Fprintf(&b, "d%d,c%d,2026-01-01T00:00:00Z,1,A,1,0.5,%s\n", i, i, cell)
	}
	name := filepath.Join(t.TempDir(), "log.csv")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func plainReport(t *testing.T, name string) *evaluation.Report {
	t.Helper()
	s := reportSettings()
	s.Segments, s.NoPolicy = nil, true
	return reportOf(t, s, 1, nil, name)
}

// Forecasts are held against what came, and what is not known yet is neither.
func TestForecastsAgainstWhatCame(t *testing.T) {
	r := plainReport(t, forecastLog(t, ".1,0", ".1,1", ".7,1", ".8,1", ".9,", ",1"))
	f := r.Forecasts
	if f.Rows != 4 || f.Events != 3 || f.Unknown != 1 || len(f.Needs) != 0 {
		t.Fatalf("%+v", f)
	}
	// (.01 + .81 + .09 + .04) / 4, beside 3/4 * 1/4 of one number for all.
	near := func(name string, got *float64, want float64) {
		if got == nil || math.Abs(*got-want) > 1e-15 {
			t.Errorf("%s: %v, expected %v", name, got, want)
		}
	}
	near("brier", f.Brier, .2375)
	near("skill", f.Skill, 1-.2375/.1875)
	near("ece", f.ECE, (2*.4+.3+.2)/4)
	if p := f.Reliability; len(p) != 3 || p[0].Rows != 2 || p[0].Predicted != .1 || p[0].Observed != .5 || p[2].Observed != 1 {
		t.Errorf("%+v", p)
	}
	_, html := written(t, r)
	if !strings.Contains(string(html), "Forecasts of conversion") {
		t.Error("the page does not show the forecasts")
	}
}

// Without a probability, or with nothing known of any, no figure is made up.
func TestNoForecasts(t *testing.T) {
	f := plainReport(t, forecastLog(t, ",1", ",0", ".5,")).Forecasts
	if f.Rows != 0 || f.Unknown != 1 || f.Brier != nil || f.Skill != nil || f.AUC != nil || len(f.Reliability) != 0 {
		t.Errorf("%+v", f)
	}
	logs := filepath.Join(writeLogs(t, 30, false), "log-*.csv")
	if f = reportOf(t, reportSettings(), 1, nil, logs).Forecasts; len(f.Needs) != 1 || f.Needs[0] != "conversion_probability" || f.Brier != nil {
		t.Errorf("%+v", f)
	}
}
