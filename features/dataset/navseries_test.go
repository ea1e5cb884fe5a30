package dataset_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func navFolder(t *testing.T, files map[string]string) *dataset.Folder {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

const (
	threeProducts = "product_code,name,product_type,risk_grade\nB,乙,债券型,R2\nA,甲,股票型,R4\nC,丙,股票型,R4\n"
	navColumns    = "product_code,nav_date,unit_nav,accum_nav\n"
)

// Products come as products.csv orders them, NAVs by day, whatever the file's order; a product without NAVs is left out.
func TestReadNAVSeries(t *testing.T) {
	t.Parallel()
	folder := navFolder(t, map[string]string{
		"products.csv": threeProducts,
		"nav.csv":      navColumns + "A,2015-01-06,1.1,1.2\nB,2015-01-05,2,2\nA,2015-01-05,1,1.1\n",
	})
	got, err := folder.ReadNAVSeries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	codes := []string{}
	for _, s := range got {
		codes = append(codes, s.Product.Code)
	}
	if diff := cmp.Diff([]string{"B", "A"}, codes); diff != "" {
		t.Fatal(diff)
	}
	want := []fund.NAV{{Date: 20150105, Unit: 1, Accum: 1.1}, {Date: 20150106, Unit: 1.1, Accum: 1.2}}
	if diff := cmp.Diff(want, got[1].NAVs); diff != "" {
		t.Error(diff)
	}
}

func TestReadNAVSeriesRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no NAVs":           {map[string]string{"products.csv": threeProducts}, "nav.csv: is not there, expected nav.csv or nav.csv.gz in the folder"},
		"no products":       {map[string]string{"nav.csv": navColumns}, "products.csv: is not there, expected products.csv or products.csv.gz in the folder"},
		"a product unknown": {map[string]string{"products.csv": threeProducts, "nav.csv": navColumns + "Z,2015-01-05,1,1\nY,2015-01-05,1,1\n"}, `nav.csv:product_code: "Y", expected a product of products.csv`},
		"a bad row":         {map[string]string{"products.csv": threeProducts, "nav.csv": navColumns + "A,2015-01-05,0,1\n"}, "nav.csv:2:unit_nav"},
		"a day twice":       {map[string]string{"products.csv": threeProducts, "nav.csv": navColumns + "A,2015-01-05,1,1\nA,2015-01-05,1,1\n"}, "nav.csv:3:"},
	} {
		_, err := navFolder(t, c.files).ReadNAVSeries(t.Context())
		var bad *dataset.Error
		if !errors.As(err, &bad) || len(err.Error()) < len(c.want) || err.Error()[:len(c.want)] != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := navFolder(t, map[string]string{"products.csv": threeProducts, "nav.csv": navColumns}).ReadNAVSeries(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
