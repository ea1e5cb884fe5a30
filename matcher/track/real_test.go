package track_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/track"
)

// realNAVs reads the NAVs of the reference data by product, in the file's order.
func realNAVs(tb testing.TB) map[string][]fund.NAV {
	tb.Helper()
	f, err := os.Open("../../../shared/data/cn-funds/nav.csv.gz")
	if err != nil {
		tb.Skip("../shared/data/cn-funds/nav.csv.gz is not there")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	navs := map[string][]fund.NAV{}
	lines := bufio.NewScanner(z)
	lines.Scan() // header
	for lines.Scan() {
		cell := strings.Split(lines.Text(), ",")
		day, err := fund.ParseDate(cell[1])
		if err != nil {
			tb.Fatal(err)
		}
		unit, _ := strconv.ParseFloat(cell[2], 64)
		accum, _ := strconv.ParseFloat(cell[3], 64)
		navs[cell[0]] = append(navs[cell[0]], fund.NAV{Date: day, Unit: unit, Accum: accum})
	}
	return navs
}

func TestTheFallOf2015OfARealFund(t *testing.T) {
	const asOf = 20200601
	navs := realNAVs(t)["161725"]
	record := compute(t, navs, asOf)
	d := record.Spans[fund.SinceStart].Drawdown
	if d.Value != -360_111 || d.PeakOn != 20150615 || d.TroughOn != 20150825 {
		t.Errorf("drawdown %v from %v to %v, expected -0.360111 from 2015-06-15 to 2015-08-25", d.Value, d.PeakOn, d.TroughOn)
	}
	newOracle(navs, asOf).check(t, record, track.Settings{RiskFree: 150})
	t.Logf("%+v", record)
}

func TestEveryRealFund(t *testing.T) {
	for code, navs := range realNAVs(t) {
		for _, asOf := range []fund.Date{20150901, 20171231} {
			record, err := track.Compute(navs, asOf, track.Settings{RiskFree: 150})
			if err != nil {
				t.Errorf("%s: %v", code, err)
				continue
			}
			t.Run(fmt.Sprint(code, asOf), func(t *testing.T) { newOracle(navs, asOf).check(t, record, track.Settings{RiskFree: 150}) })
		}
	}
}
