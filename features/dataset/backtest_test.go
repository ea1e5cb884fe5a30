package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// someBacktest is a folder with a bit of everything.
func someBacktest() map[string]string {
	return map[string]string{
		"products.csv":     "product_code,name,product_type,risk_grade\nP1,A,B,R1\nP2,A,B,R5\n",
		"customers.csv":    "customer_id,investor_type,risk_level,risk_level_source,risk_assessed_on\nc1,ORDINARY,C3,ASSESSED,2020-01-02\nc2,,,,\n",
		"splits.csv":       "split,as_of,test_end\n0,2020-01-31,2020-07-31\n7,2020-02-14,2020-08-14\n",
		"interactions.csv": "customer_id,product_code,known_on\nc1,P1,2020-01-01\n",
		"candidates.csv":   "split,product_codes\n0,P1 P2\n7,P2\n",
		"relevant.csv":     "split,customer_id,product_codes\n0,c1,P2\n0,c2,\n7,c1,P1 P2\n",
		"notes.csv":        "nobody reads this",
	}
}

// readings are the rows of a backtest folder, as text.
type readings struct {
	rows  []string
	files []BacktestFile
}

func (r *readings) take(err error, format string, args ...any) error {
	if err == nil {
		r.rows = append(r.rows, fmt.Sprintf(format, args...))
	}
	return err
}

// readFolder reads a folder to its end or first error.
func readFolder(ctx context.Context, dir string) (r readings, err error) {
	b, err := OpenBacktest(dir)
	if err != nil {
		return r, err
	}
	for _, step := range []func() error{
		func() error {
			return eachOf(b.Products(ctx), func(v fund.Product, err error) error { return r.take(err, "%s %s", v.Code, v.Grades.Bank) })
		},
		func() error {
			return eachOf(b.Customers(ctx), func(v CustomerRow, err error) error { return r.take(err, "%s %s", v.CustomerID, v.Level.Level) })
		},
		func() error {
			return eachOf(b.Splits(ctx), func(v SplitRow, err error) error { return r.take(err, "%d %s %s", v.Split, v.AsOf, v.TestEnd) })
		},
		func() error {
			return eachOf(b.Interactions(ctx), func(v features.CustomerPurchase, err error) error {
				return r.take(err, "%s %s %s %s", v.CustomerID, v.ProductCode, v.KnownOn, v.Kind)
			})
		},
		func() error {
			return eachOf(b.Candidates(ctx), func(v CandidatesRow, err error) error { return r.take(err, "%d %q", v.Split, v.ProductCodes) })
		},
		func() error {
			return eachOf(b.Relevant(ctx), func(v RelevantRow, err error) error {
				return r.take(err, "%d %s %q", v.Split, v.CustomerID, v.ProductCodes)
			})
		},
	} {
		if err = step(); err != nil {
			break
		}
	}
	r.files = b.Files()
	return r, err
}

func eachOf[T any](rows iter.Seq2[T, error], take func(T, error) error) (failed error) {
	for v, err := range rows {
		if err := take(v, err); err != nil && failed == nil {
			failed = err
		} else if failed != nil {
			return fmt.Errorf("a row came behind the error %w", failed)
		}
	}
	return failed
}

func TestReadBacktest(t *testing.T) {
	files := someBacktest()
	got, err := readFolder(t.Context(), folderOf(t, files))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"P1 R1", "P2 R5", "c1 C3", "c2 ", "0 2020-01-31 2020-07-31", "7 2020-02-14 2020-08-14", "c1 P1 2020-01-01 BUY",
		`0 ["P1" "P2"]`, `7 ["P2"]`, `0 c1 ["P2"]`, `0 c2 []`, `7 c1 ["P1" "P2"]`,
	}
	if diff := cmp.Diff(want, got.rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	rows := map[string]int64{"products.csv": 2, "customers.csv": 2, "splits.csv": 2, "interactions.csv": 1, "candidates.csv": 2, "relevant.csv": 3}
	for _, f := range got.files {
		sum := sha256.Sum256([]byte(files[f.Name]))
		if f.Rows != rows[f.Name] || f.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: %d rows and hash %s, expected %d and the file's own", f.Name, f.Rows, f.SHA256, rows[f.Name])
		}
	}
	if len(got.files) != len(rows) {
		t.Errorf("%d files were read, expected %d", len(got.files), len(rows))
	}
}

// Packed, a folder holds the same rows and has the same hashes.
func TestReadPackedBacktest(t *testing.T) {
	plain, err := readFolder(t.Context(), folderOf(t, someBacktest()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for name, text := range someBacktest() {
		files[name+".gz"] = text
	}
	got, err := readFolder(t.Context(), folderOf(t, files))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain.rows, got.rows); diff != "" {
		t.Errorf("rows (-plain +packed):\n%s", diff)
	}
	for i := range got.files {
		if got.files[i].SHA256 != plain.files[i].SHA256 || got.files[i].Name != plain.files[i].Name+".gz" {
			t.Errorf("%+v packed, %+v plain", got.files[i], plain.files[i])
		}
	}
}

// Every way in which a backtest folder can be bad, and the very words that say so.
func TestBadBacktest(t *testing.T) {
	const (
		id     = "an id: 1 to 64 of 0-9 A-Z a-z . _ - that begin with a letter or digit"
		number = "a split, a whole number from 0 to 999999"
		codes  = "codes of products that products.csv has, separated by single spaces"
		six    = "the files products.csv customers.csv splits.csv interactions.csv candidates.csv relevant.csv, .gz or not"
	)
	splits := func(rows string) map[string]string {
		return map[string]string{"splits.csv": "split,as_of,test_end\n" + rows}
	}
	candidates := func(rows string) map[string]string {
		return map[string]string{"candidates.csv": "split,product_codes\n" + rows}
	}
	relevant := func(rows string) map[string]string {
		return map[string]string{"relevant.csv": "split,customer_id,product_codes\n" + rows}
	}
	var tooMany strings.Builder
	for s := range MaxSplits + 1 {
		fmt.Fprintf(&tooMany, "%d,2020-01-01,2020-02-01\n", s)
	}
	for _, tt := range []struct {
		name  string
		files map[string]string // in place of those of someBacktest; "": taken away
		want  string
	}{
		{"no relevant.csv", map[string]string{"relevant.csv": ""}, `relevant.csv: is not in the folder, expected ` + six},
		{"a file both ways", map[string]string{"splits.csv.gz": "x"}, `splits.csv: is there both plain and as splits.csv.gz, expected one of the two`},
		{"a grade that is none", map[string]string{"products.csv": "product_code,name,product_type,risk_grade\nP1,A,B,R7\n"}, `products.csv:2:risk_grade: "R7", expected R1 to R5`},
		{"a level that is none", map[string]string{"customers.csv": "customer_id,investor_type,risk_level\nc1,,C9\n"}, `customers.csv:2:risk_level: "C9", expected C1 to C5`},
		{"a purchase of nobody", map[string]string{"interactions.csv": "customer_id,product_code,known_on\nc9,P1,2020-01-01\n"}, `interactions.csv:2:customer_id: "c9", expected a customer that customers.csv or the store has`},
		{"a purchase of nothing", map[string]string{"interactions.csv": "customer_id,product_code,known_on\nc1,P9,2020-01-01\n"}, `interactions.csv:2:product_code: "P9", expected a product that products.csv or the store has`},

		{"no as_of column", map[string]string{"splits.csv": "split,test_end\n"}, `splits.csv:1:as_of: column is missing, expected the columns split as_of test_end`},
		{"a negative split", splits("-1,2020-01-01,2020-02-01\n"), `splits.csv:2:split: "-1", expected ` + number},
		{"a split too high", splits("1000000,2020-01-01,2020-02-01\n"), `splits.csv:2:split: "1000000", expected ` + number},
		{"no split", splits(",2020-01-01,2020-02-01\n"), `splits.csv:2:split: "", expected ` + number},
		{"a split twice", splits("3,2020-01-01,2020-02-01\n3,2020-01-02,2020-02-01\n"), `splits.csv:3:split: "3", expected a key that no row before has`},
		{"no day", splits("3,,2020-02-01\n"), `splits.csv:2:as_of: "", expected a date YYYY-MM-DD of 1900 to 2199`},
		{"a day that is none", splits("3,2020-02-30,2020-03-01\n"), `splits.csv:2:as_of: "2020-02-30", expected a date YYYY-MM-DD of 1900 to 2199`},
		{"an end that is no end", splits("3,2020-01-01,2020-01-01\n"), `splits.csv:2:test_end: "2020-01-01", expected a date after as_of 2020-01-01`},
		{"too many splits", splits(tooMany.String()), `splits.csv:1002:split: "1000", expected at most 1000 splits`},

		{"candidates of no split", candidates("1,P1\n"), `candidates.csv:2:split: "1", expected a split that splits.csv has`},
		{"candidates twice", candidates("0,P1\n0,P2\n"), `candidates.csv:3:split: "0", expected a key that no row before has`},
		{"no candidates", candidates("0,\n"), `candidates.csv:2:product_codes: "", expected product codes, separated by single spaces`},
		{"an unknown candidate", candidates("0,P1 P3\n"), `candidates.csv:2:product_codes: "P3", expected ` + codes},
		{"two spaces", candidates("0,P1  P2\n"), `candidates.csv:2:product_codes: "", expected ` + codes},
		{"a space behind", candidates("0,P1 \n"), `candidates.csv:2:product_codes: "", expected ` + codes},
		{"a candidate twice", candidates("0,P1 P2 P1\n"), `candidates.csv:2:product_codes: "P1 P2 P1", expected different product codes`},

		{"wishes of no split", relevant("1,c1,P1\n"), `relevant.csv:2:split: "1", expected a split that splits.csv has`},
		{"wishes of nobody", relevant("0,c3,P1\n"), `relevant.csv:2:customer_id: "c3", expected a customer that customers.csv or the store has`},
		{"an id that is none", relevant("0,c 1,P1\n"), `relevant.csv:2:customer_id: "c 1", expected ` + id},
		{"a wish for what there is not", relevant("0,c1,P1 p2\n"), `relevant.csv:2:product_codes: "p2", expected ` + codes},
		{"a customer twice", relevant("0,c1,P1\n7,c1,P1\n0,c1,P2\n"), `relevant.csv:4:split,customer_id: "0,c1", expected a key that no row before has`},
		{"fields too few", relevant("0,c1\n"), `relevant.csv:2: 2 fields, expected 3 fields as in the header`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := someBacktest()
			maps.Copy(files, tt.files)
			maps.DeleteFunc(files, func(_, text string) bool { return text == "" })
			_, err := readFolder(t.Context(), folderOf(t, files))
			if err == nil || err.Error() != tt.want || !errors.Is(err, features.ErrInvalid) {
				t.Errorf("\n got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// A packed file that is cut short is an error, and never a shorter past.
func TestBacktestFileCutShort(t *testing.T) {
	dir := folderOf(t, someBacktest())
	if err := os.Remove(filepath.Join(dir, "relevant.csv")); err != nil {
		t.Fatal(err)
	}
	whole := packed(t, someBacktest()["relevant.csv"])
	if err := os.WriteFile(filepath.Join(dir, "relevant.csv.gz"), whole[:len(whole)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := readFolder(t.Context(), dir)
	if want := "relevant.csv.gz:5: the gzip stream is cut short, expected a whole gzip file"; err == nil || err.Error() != want {
		t.Errorf("got %v, expected %s", err, want)
	}
}

func TestBacktestFolderThatIsNone(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenBacktest(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) || errors.Is(err, features.ErrInvalid) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "products.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBacktest(dir); err == nil || err.Error() != "products.csv: not a regular file, expected a CSV file" {
		t.Errorf("a folder in a file's place: %v", err)
	}
}

// A bank's pool of 6,000 products is one field, longer than a field of the other files may be.
func TestManyCandidates(t *testing.T) {
	var products, candidates strings.Builder
	products.WriteString("product_code,name,product_type,risk_grade\n")
	candidates.WriteString("split,product_codes\n0,")
	for i := range 6000 {
		fmt.Fprintf(&products, "PRODUCT-%06d,A,B,R1\n", i)
		if i > 0 {
			candidates.WriteByte(' ')
		}
		fmt.Fprintf(&candidates, "PRODUCT-%06d", i)
	}
	files := someBacktest()
	files["products.csv"], files["candidates.csv"] = products.String(), candidates.String()+"\n"
	files["interactions.csv"] = "customer_id,product_code,known_on\n"
	files["relevant.csv"] = "split,customer_id,product_codes\n"
	got, err := readFolder(t.Context(), folderOf(t, files))
	if err != nil {
		t.Fatal(err)
	}
	if last := got.rows[len(got.rows)-1]; strings.Count(last, "PRODUCT") != 6000 {
		t.Errorf("%.80s... has %d codes, expected 6000", last, strings.Count(last, "PRODUCT"))
	}
	files["candidates.csv"] = "split,product_codes,note\n0,PRODUCT-000001," + strings.Repeat("x", MaxLine) + "\n"
	_, err = readFolder(t.Context(), folderOf(t, files))
	if want := "candidates.csv:2: a line of more than 1048576 bytes, expected at most so many"; err == nil || err.Error() != want {
		t.Errorf("got %v, expected %s", err, want)
	}
}

// An interrupt ends a read, and so does whoever has read enough.
func TestReadBacktestEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readFolder(ctx, folderOf(t, someBacktest())); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	b, err := OpenBacktest(folderOf(t, someBacktest()))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range b.Products(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if files := b.Files(); len(files) != 0 {
		t.Errorf("%v were read, expected none to its end", files)
	}
}

// FuzzBacktest reads any bytes as the files of a backtest folder: every error says where
// it is, and what is read names only what there is.
func FuzzBacktest(f *testing.F) {
	f.Add([]byte("split,as_of,test_end\n0,2020-01-31,2020-07-31\n"), []byte("split,product_codes\n0,P1 P2\n"), []byte("split,customer_id,product_codes\n0,c1,P2\n"))
	f.Add([]byte("split,as_of,test_end\n0,2020-01-31,\n"), []byte("split,product_codes\n0, P1\n"), []byte("split,customer_id,product_codes,x\n0,c1,,\n"))
	f.Fuzz(func(t *testing.T, splits, candidates, relevant []byte) {
		b := &Backtest{refs: newReferences(nil), splits: map[int32]struct{}{}}
		for _, code := range []string{"P1", "P2"} {
			b.refs.products.present.add([]byte(code))
		}
		b.refs.customers.present.add([]byte("c1"))
		var errs []error
		observe := &observer{refs: b.refs}
		for v, err := range read(bytes.NewReader(splits), "splits.csv", b.splitFormat(), observe) {
			if err == nil && v.TestEnd <= v.AsOf {
				t.Fatalf("split %+v ends before it begins", v)
			}
			errs = append(errs, err)
		}
		for v, err := range read(bytes.NewReader(candidates), "candidates.csv", b.candidatesFormat(), observe) {
			if _, known := b.splits[v.Split]; err == nil && (!known || len(v.ProductCodes) == 0 || len(v.ProductCodes) > 2) {
				t.Fatalf("candidates %+v", v)
			}
			errs = append(errs, err)
		}
		for v, err := range read(bytes.NewReader(relevant), "relevant.csv", b.relevantFormat(), observe) {
			if err == nil && (v.CustomerID != "c1" || len(v.ProductCodes) > 2) {
				t.Fatalf("relevant %+v", v)
			}
			errs = append(errs, err)
		}
		checkErrors(t, slices.DeleteFunc(errs, func(err error) bool { return err == nil }))
	})
}
