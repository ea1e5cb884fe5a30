package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/engine"
)

// importOptions are the flags of import.
type importOptions struct {
	store   string
	skipBad bool
	rejects string
	asOf    string // a day
	// catalogue is the file of the bank's views, "" for the one in force.
	catalogue string
}

func (p *program) importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import DIR",
		Short: "Load a dataset folder into the store and publish its pool",
		Long: "Load whichever dataset files DIR holds, packed with gzip or not, in one transaction, and publish the pool.\n" +
			"A bad row ends the import with exit code 2 and its file, line and column; so does a pool that would not\n" +
			"compile, with product and reason; nothing is changed then. features.csv is checked by the catalogue of views\n" +
			"in force: what fundmatch views publish put there.\n" +
			"Importing the same folder again changes nothing; another folder is merged by key.",
		Example: "  fundmatch import ./bank --store sqlite:bank.db\n  fundmatch import ./bank --skip-bad --rejects bad-rows.csv\n" +
			"  fundmatch import ./features --catalogue views.yaml",
		Args: arguments(0, "DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.importFolder(cmd.Context(), args[0], o)
		},
	}
	cmd.Flags().StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH, postgres://... or memory:")
	cmd.Flags().StringVar(&o.asOf, "as-of", "", "day that the folder speaks for, where that is later than today: facts up to its end count (YYYY-MM-DD)")
	cmd.Flags().StringVar(&o.catalogue, "catalogue", "", "file of the bank's views that features.csv is checked by (default: the catalogue in force)")
	cmd.Flags().BoolVar(&o.skipBad, "skip-bad", false, "leave bad rows out and write them to the rejects file")
	cmd.Flags().StringVar(&o.rejects, "rejects", "rejects.csv", "where --skip-bad writes the bad rows")
	return cmd
}

// imported is the outcome of one import.
type imported struct {
	report dataset.Report
	result features.ImportResult
	took   time.Duration
	// quarantined are the products that the pool holds and no answer offers; of an import that
	// leaves the pool as it is nothing is known.
	quarantined []*fundmatchv1.QuarantineFinding
	regraded    int // products whose grade is another than in the revision before
	bankAlone   int // products that only the bank has graded (S10)
}

func (p *program) importFolder(ctx context.Context, dir string, o importOptions) error {
	spec, err := parseStore(o.store)
	if err != nil {
		return err
	}
	asOf, err := parseAsOf(o.asOf)
	if err != nil {
		return err
	}
	folder, err := dataset.Open(dir)
	if err != nil {
		return err // before a store is made for a folder that is none
	}
	store, err := spec.open(ctx, create)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // what was committed is on disk
	if err := engine.InstallDefaults(ctx, store, fund.InstantOf(p.now())); err != nil {
		return err // the pool is tried with them
	}
	forbids, err := forbiddenTags(ctx, store, fund.InstantOf(p.now()))
	if err != nil {
		return err
	}
	checkCell, err := cellCheck(ctx, o.catalogue, store, fund.InstantOf(p.now()))
	if err != nil {
		return err
	}
	var done imported
	load := func(rejects io.Writer) error {
		var err error
		done, err = p.load(ctx, store, folder, asOf, dataset.Options{SkipBad: o.skipBad, Rejects: rejects, ForbidsTag: forbids, CheckCell: checkCell})
		return err
	}
	if o.skipBad {
		err = loadWithRejects(o.rejects, load, func() bool { return done.report.Rejected > 0 })
	} else {
		err = load(nil)
	}
	if err != nil {
		return err
	}
	return p.tellImport(&done, o)
}

// cellCheck is what the catalogue of a file, or the one in force, says of a cell of
// features.csv.
func cellCheck(ctx context.Context, file string, store features.Models, at fund.Instant) (func(*features.Cell) error, error) {
	if file != "" {
		c, _, err := readViewsFile(file)
		if err != nil {
			return nil, err
		}
		return c.CheckCell, nil
	}
	views, err := viewsAt(ctx, store, at)
	return views.checkCell, err
}

// forbiddenTags tells by the rule pack in force which tags nobody may keep (A09). By a pack
// that this program cannot apply nothing is decided: the built-in one speaks until another
// is in force.
func forbiddenTags(ctx context.Context, models features.Models, at fund.Instant) (func(string) bool, error) {
	_, data, err := models.Active(ctx, features.RulesArtifact)
	if err != nil {
		return nil, err
	}
	pack, err := eligibility.ParsePack(data)
	if err != nil {
		if pack, err = eligibility.ParsePack(eligibility.Default()); err != nil {
			return nil, err
		}
	}
	edition := pack.InForce(at)
	return edition.ForbidsTag, nil
}

// loadWithRejects runs an import that writes bad rows. The file gets its name only when
// the import succeeded and there were some.
func loadWithRejects(name string, load func(io.Writer) error, rejected func() bool) error {
	errNone := errors.New("no bad rows")
	err := writeFile(name, func(w io.Writer) error {
		if err := load(w); err != nil {
			return err
		}
		if !rejected() {
			return errNone
		}
		return nil
	})
	if errors.Is(err, errNone) {
		return nil
	}
	return err
}

// load runs the import with its progress.
func (p *program) load(ctx context.Context, store bankStore, folder *dataset.Folder, asOf fund.Date, o dataset.Options) (imported, error) {
	bar := p.startBytes("import", -1)
	defer bar.end()
	current := ""
	o.Progress = func(g dataset.Progress) {
		if g.File != current {
			current = g.File
			bar.rename(g.File, max(g.Size, 1))
		}
		bar.set(g.Bytes)
	}
	started := p.now()
	var done imported
	result, err := store.Import(ctx, recordedAt(fund.InstantOf(started), asOf), func(b features.Batch) error {
		var err error
		done.report, err = folder.Load(ctx, b, &known{ctx: ctx, store: store, at: fund.InstantOf(started)}, o)
		if err != nil {
			return err
		}
		done.quarantined, err = p.tryPool(ctx, store, b, fund.InstantOf(started))
		return err
	})
	done.result, done.took = result, p.now().Sub(started)
	if err == nil && result.Published {
		err = done.compareGrades(ctx, store)
	}
	return done, err
}

// parseAsOf reads a day; "" is none.
func parseAsOf(text string) (fund.Date, error) {
	day, err := fund.ParseDate(text)
	if err != nil {
		return 0, usageError("--as-of: %q, expected a day as YYYY-MM-DD", text)
	}
	return day, nil
}

// recordedAt is when a bank as of a day is recorded: now, or at the end of that day where a
// trial's lies in the future. Facts dated later are kept aside.
func recordedAt(now fund.Instant, asOf fund.Date) fund.Instant {
	if asOf == 0 {
		return now
	}
	return max(now, asOf.Start().Add(24*time.Hour)-1)
}

// compareGrades counts what head office has to do about the grades of the pool that was
// published.
func (done *imported) compareGrades(ctx context.Context, pools features.Pools) (err error) {
	now, err := pools.Pool(ctx, done.result.Revision.ID)
	if err != nil {
		return err
	}
	for i := range now {
		if g := &now[i].Grades; g.Issuer == fund.GradeUnknown && g.Bank != fund.GradeUnknown {
			done.bankAlone++
		}
	}
	done.regraded, err = regraded(ctx, pools, done.result.Revision.ID, now)
	return err
}

// regraded counts the products whose effective grade is another than in the revision before.
func regraded(ctx context.Context, pools features.Pools, revision uint64, now []fund.Product) (n int, err error) {
	if revision < 2 {
		return 0, nil
	}
	before, err := pools.Pool(ctx, revision-1)
	if err != nil {
		return 0, err
	}
	grades := make(map[string]fund.RiskGrade, len(before))
	for i := range before {
		grades[before[i].Code] = before[i].Grades.Effective()
	}
	for i := range now {
		if grade, known := grades[now[i].Code]; known && grade != now[i].Grades.Effective() {
			n++
		}
	}
	return n, nil
}

// known answers the dataset reader's question whether the store already has what a row
// speaks of.
type known struct {
	ctx      context.Context //nolint:containedctx // the reader's questions carry none
	store    bankStore
	at       fund.Instant
	products map[string]bool // nil: not read yet
}

// HasProduct implements dataset.Known.
func (k *known) HasProduct(code string) (bool, error) {
	if k.products == nil {
		products, err := publishedProducts(k.ctx, k.store)
		if err != nil {
			return false, err
		}
		k.products = products
	}
	return k.products[code], nil
}

func publishedProducts(ctx context.Context, pools features.Pools) (map[string]bool, error) {
	codes := map[string]bool{}
	revision, err := pools.Published(ctx)
	if errors.Is(err, features.ErrNoPool) {
		return codes, nil
	}
	if err != nil {
		return nil, err
	}
	products, err := pools.Pool(ctx, revision.ID)
	if err != nil {
		return nil, err
	}
	for i := range products {
		codes[products[i].Code] = true
	}
	return codes, nil
}

// HasCustomer implements dataset.Known.
func (k *known) HasCustomer(id string) (bool, error) {
	_, err := k.store.Profile(k.ctx, id, k.at)
	if errors.Is(err, features.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// consentsFile is the file whose facts are kept and not used yet; packed, it has an
// ending more.
const consentsFile = "consents.csv"

// tellImport prints what was loaded.
func (p *program) tellImport(done *imported, o importOptions) error {
	var rows int64
	var out strings.Builder
	consents := false
	for i := range done.report.Files {
		f := &done.report.Files[i]
		rows += f.Rows
		consents = consents || f.Rows > 0 && strings.HasPrefix(f.Name, consentsFile)
		fmt.Fprintf(&out, "%-24s %10d rows", f.Name, f.Rows)
		if f.Rejected > 0 {
			fmt.Fprintf(&out, "  %d rejected", f.Rejected)
		}
		if len(f.IgnoredColumns) > 0 {
			fmt.Fprintf(&out, "  columns not read: %s", strings.Join(f.IgnoredColumns, ", "))
		}
		out.WriteByte('\n')
	}
	for _, name := range done.report.Ignored {
		fmt.Fprintf(&out, "%-24s not a dataset file, not read\n", filepath.Base(name))
	}
	if consents {
		out.WriteString("notice: consents to calls and pushes govern contacts, and each consent what is kept for its purpose; personalisation has its own switch\n")
	}
	fmt.Fprintf(&out, "%d rows in %.2f s (%.0f rows/s), %d changed", rows, done.took.Seconds(), perSecond(rows, done.took), done.result.Changed)
	if done.report.Rejected > 0 {
		fmt.Fprintf(&out, ", %d bad rows left out: see %s", done.report.Rejected, o.rejects)
	}
	out.WriteByte('\n')
	if n := done.result.Quarantined; n > 0 {
		spec, _ := parseStore(o.store) // which was read before; a password is not shown
		fmt.Fprintf(&out, "notice: %s dated after this import, kept aside and in no profile: fundmatch features quarantine --store %s lists them;"+
			" of a bank of the future say so with --as-of\n", plural(int(n), "fact is", "facts are"), spec.text)
	}
	switch r := done.result.Revision; {
	case r.ID == 0:
		out.WriteString("no pool: no product was ever loaded\n")
	case done.result.Published:
		fmt.Fprintf(&out, "published pool revision %d with %d products\n", r.ID, r.Products)
		tellQuarantine(&out, done.quarantined)
		if done.bankAlone > 0 {
			fmt.Fprintf(&out, "notice: %s without the issuer's grade: the bank's alone counts until it is on file\n", plural(done.bankAlone, "product", "products"))
		}
		if done.regraded > 0 {
			fmt.Fprintf(&out, "notice: %s changed grade: fundmatch rematch --store %s --since-revision %d --out tasks.csv lists whom that concerns\n",
				plural(done.regraded, "product", "products"), o.store, r.ID-1)
		}
	default:
		fmt.Fprintf(&out, "pool revision %d with %d products stays in force\n", r.ID, r.Products)
	}
	_, err := io.WriteString(p.stdout, out.String())
	return err
}

// maxQuarantineTold bounds the findings that are printed: GET /v1/pool lists all.
const maxQuarantineTold = 50

// tellQuarantine names the products that are published and not offered: head office has to
// know of each, and the rest of the pool does not wait for it.
func tellQuarantine(out *strings.Builder, found []*fundmatchv1.QuarantineFinding) {
	for _, f := range found[:min(len(found), maxQuarantineTold)] {
		fmt.Fprintf(out, "notice: product %s is in quarantine: %s %s", f.GetProductCode(), f.GetRuleId(), f.GetReason())
		if len(f.GetFacts()) > 0 {
			fmt.Fprintf(out, " (%s)", strings.Join(f.GetFacts(), ", "))
		}
		out.WriteByte('\n')
	}
	if left := len(found) - maxQuarantineTold; left > 0 {
		fmt.Fprintf(out, "notice: %d more findings of quarantine: GET /v1/pool lists them\n", left)
	}
}

func perSecond(n int64, took time.Duration) float64 {
	return float64(n) / max(took.Seconds(), 1e-6)
}
