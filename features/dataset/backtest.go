package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// A backtest folder holds three files of the dataset and three of its own: splits.csv
// says as of when lists are made and until when they are judged, candidates.csv what they
// are made of, relevant.csv for whom, and what turned out to be wanted.

func backtestNames() []string {
	return []string{"products.csv", "customers.csv", "splits.csv", "interactions.csv", "candidates.csv", "relevant.csv"}
}

// Backtest is a backtest folder. Its files are read one after another in the order of
// backtestNames, each once: a file may name only what those before it have.
type Backtest struct {
	folder *Folder
	refs   *references
	splits map[int32]struct{}
	files  []BacktestFile
}

// BacktestFile says what was read from one file.
type BacktestFile struct {
	Name   string // as it lies in the folder
	SHA256 string // of the unpacked bytes: the same packed or not
	Rows   int64
}

// SplitRow is one row of splits.csv.
type SplitRow struct {
	Split   int32
	AsOf    fund.Date // what is known on this day may be used
	TestEnd fund.Date // after AsOf
}

// CandidatesRow is one row of candidates.csv: what lists of a split are made of.
type CandidatesRow struct {
	Split        int32
	ProductCodes []string // all different
}

// RelevantRow is one row of relevant.csv: what a customer turned out to want.
type RelevantRow struct {
	Split        int32
	CustomerID   string
	ProductCodes []string // all different; none: he wanted nothing
}

// Limits of a backtest folder.
const (
	MaxSplits = 1000 // rows of splits.csv
	// MaxSplit is the highest number of a split.
	MaxSplit = 999_999
)

// OpenBacktest finds the six files of a backtest folder, packed with gzip or not. A file
// that is missing, or that is there both ways, is an *Error; other files are nobody's.
func OpenBacktest(dir string) (*Backtest, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("open backtest folder: %w", err)
	}
	f := &Folder{dir: dir, files: map[string]string{}}
	for _, plain := range backtestNames() {
		name, err := findFile(dir, plain)
		if err != nil {
			return nil, err
		}
		f.files[plain] = name
	}
	return &Backtest{folder: f, refs: newReferences(nil), splits: map[int32]struct{}{}}, nil
}

// findFile returns under which name a file lies in a folder.
func findFile(dir, plain string) (string, error) {
	found := ""
	for _, name := range []string{plain, plain + ".gz"} {
		info, err := os.Stat(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return "", fmt.Errorf("open backtest folder: %w", err)
		case !info.Mode().IsRegular():
			return "", &Error{File: name, Problem: "not a regular file", Expected: "a CSV file"}
		case found != "":
			return "", &Error{File: plain, Problem: "is there both plain and as " + plain + ".gz", Expected: "one of the two"}
		}
		found = name
	}
	if found == "" {
		return "", &Error{File: plain, Problem: "is not in the folder", Expected: "the files " + strings.Join(backtestNames(), " ") + ", .gz or not"}
	}
	return found, nil
}

// Paths are where the six files lie.
func (b *Backtest) Paths() []string {
	var paths []string
	for _, plain := range backtestNames() {
		paths = append(paths, filepath.Join(b.folder.dir, b.folder.files[plain]))
	}
	return paths
}

// Files says what was read so far, in the order of reading.
func (b *Backtest) Files() []BacktestFile { return slices.Clone(b.files) }

// Products reads products.csv. This and the methods below yield the rows, or the *Error
// of the first bad one, and end there.
func (b *Backtest) Products(ctx context.Context) iter.Seq2[fund.Product, error] {
	return readBacktest(ctx, b, productFormat(), b.refs.products.present)
}

// Customers reads customers.csv.
func (b *Backtest) Customers(ctx context.Context) iter.Seq2[CustomerRow, error] {
	return readBacktest(ctx, b, customerFormat(), b.refs.customers.present)
}

// Interactions reads interactions.csv.
func (b *Backtest) Interactions(ctx context.Context) iter.Seq2[features.CustomerPurchase, error] {
	return readBacktest(ctx, b, interactionFormat(), nil)
}

// Splits reads splits.csv.
func (b *Backtest) Splits(ctx context.Context) iter.Seq2[SplitRow, error] {
	return readBacktest(ctx, b, b.splitFormat(), nil)
}

// Candidates reads candidates.csv.
func (b *Backtest) Candidates(ctx context.Context) iter.Seq2[CandidatesRow, error] {
	return readBacktest(ctx, b, b.candidatesFormat(), nil)
}

// Relevant reads relevant.csv.
func (b *Backtest) Relevant(ctx context.Context) iter.Seq2[RelevantRow, error] {
	return readBacktest(ctx, b, b.relevantFormat(), nil)
}

// readBacktest reads one file, and notes what it was when it was read to its end.
func readBacktest[T any](ctx context.Context, b *Backtest, f *format[T], keys keySet) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		in, err := b.folder.open(ctx, f.name)
		if err != nil {
			yield(none, err)
			return
		}
		defer func() { _ = in.file.Close() }() // read only
		file := BacktestFile{Name: in.name}
		sum := &hashing{in: in, hash: sha256.New()}
		for v, err := range read(sum, in.name, f, &observer{refs: b.refs, keys: keys}) {
			if err != nil {
				yield(none, err)
				return
			}
			if file.Rows++; !yield(v, nil) {
				return
			}
		}
		file.SHA256 = hex.EncodeToString(sum.hash.Sum(nil))
		b.files = append(b.files, file)
	}
}

// hashing sums up the bytes that pass.
type hashing struct {
	in   io.Reader
	hash hash.Hash
}

func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.in.Read(p)
	_, _ = h.hash.Write(p[:n]) // a hash never fails
	return n, err
}

func (b *Backtest) splitFormat() *format[SplitRow] {
	return &format[SplitRow]{
		name:     "splits.csv",
		columns:  []string{"split", "as_of", "test_end"},
		required: 3,
		decode: func(r *row) (v SplitRow) {
			v.Split = r.split()
			v.AsOf = r.requiredDate()
			v.TestEnd = r.requiredDate()
			if v.TestEnd <= v.AsOf {
				r.fail("a date after as_of " + v.AsOf.String())
			}
			if _, again := b.splits[v.Split]; !again && r.err == nil {
				if len(b.splits) == MaxSplits {
					r.failAt("split", fmt.Sprint(v.Split), fmt.Sprintf("at most %d splits", MaxSplits))
				}
				b.splits[v.Split] = struct{}{}
			}
			return v
		},
		key:        func(dst []byte, v *SplitRow) []byte { return keyNumber(dst, int64(v.Split)) },
		keyColumns: []int{0},
		customer:   -1, product: -1,
	}
}

func (b *Backtest) candidatesFormat() *format[CandidatesRow] {
	return &format[CandidatesRow]{
		name:     "candidates.csv",
		columns:  []string{"split", "product_codes"},
		required: 2,
		longest:  MaxLine, // a bank's whole pool is one field
		decode: func(r *row) (v CandidatesRow) {
			v.Split = b.knownSplit(r)
			v.ProductCodes = b.codes(r)
			if r.absent() {
				r.fail("product codes, separated by single spaces")
			}
			return v
		},
		key:        func(dst []byte, v *CandidatesRow) []byte { return keyNumber(dst, int64(v.Split)) },
		keyColumns: []int{0},
		customer:   -1, product: -1,
	}
}

func (b *Backtest) relevantFormat() *format[RelevantRow] {
	return &format[RelevantRow]{
		name:     "relevant.csv",
		columns:  []string{"split", "customer_id", "product_codes"},
		required: 3,
		longest:  MaxLine,
		decode: func(r *row) (v RelevantRow) {
			v.Split = b.knownSplit(r)
			v.CustomerID = r.id()
			v.ProductCodes = b.codes(r)
			return v
		},
		key: func(dst []byte, v *RelevantRow) []byte {
			return keyText(keyNumber(dst, int64(v.Split)), v.CustomerID)
		},
		keyColumns: []int{0, 1},
		customer:   1, product: -1,
	}
}

// split reads the number of a split.
func (r *row) split() int32 {
	n := int32(r.number("a split", MaxSplit))
	if r.absent() {
		r.fail(fmt.Sprintf("a split, a whole number from 0 to %d", MaxSplit))
	}
	return n
}

// knownSplit reads the number of a split that splits.csv has.
func (b *Backtest) knownSplit(r *row) int32 {
	n := r.split()
	if _, ok := b.splits[n]; !ok {
		r.fail("a split that splits.csv has")
	}
	return n
}

// codes reads different codes of products.csv, separated by single spaces.
func (b *Backtest) codes(r *row) []string {
	s := r.take()
	if s == "" {
		return nil
	}
	list := strings.Split(s, " ")
	seen := make(map[string]struct{}, len(list))
	for _, code := range list {
		seen[code] = struct{}{}
		if !b.refs.products.present.has(code) {
			r.failAt(r.names[r.next-1], code, "codes of products that products.csv has, separated by single spaces")
			return nil
		}
	}
	if len(seen) < len(list) {
		r.fail("different product codes")
		return nil
	}
	return list
}
