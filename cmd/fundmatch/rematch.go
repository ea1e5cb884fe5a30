package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// rematchOptions are the flags of rematch.
type rematchOptions struct {
	store, customer, out string
	sinceRevision        uint64
	json                 bool
	workers              int
}

func (p *program) rematchCommand() *cobra.Command {
	var o rematchOptions
	cmd := &cobra.Command{
		Use:   "rematch",
		Short: "Match what customers hold, and their running plans, with their levels of now",
		Long: "Match holdings and running plans of all customers, or of one, with the risk levels and grades of now (rule S08)\n" +
			"and write a task for each that does not match: the customer is told of a holding, which he may keep; a plan is\n" +
			"paused until he confirms. With --since-revision a grade that was raised since is told from a lowered level.",
		Example: "  fundmatch rematch --out tasks.csv\n" +
			"  fundmatch rematch --since-revision 11 --out tasks.csv\n" +
			"  fundmatch rematch --customer C000001 --json",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.rematch(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
	f.StringVar(&o.customer, "customer", "", "only this customer")
	f.StringVar(&o.out, "out", "", "file of the tasks (default stdout)")
	f.Uint64Var(&o.sinceRevision, "since-revision", 0, "pool revision whose grades those of now are compared with")
	f.BoolVar(&o.json, "json", false, "write one JSON document instead of CSV")
	f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "customers matched at a time; the result does not depend on it")
	return cmd
}

func (p *program) rematch(ctx context.Context, o *rematchOptions) (err error) {
	if o.workers < 1 || o.workers > maxWorkers {
		return usageError("--workers: %d, expected 1 to %d", o.workers, maxWorkers)
	}
	if o.customer != "" && fund.CheckID(o.customer) != nil {
		return usageError("--customer: %.80q, expected a customer id", o.customer)
	}
	spec, err := parseKeptStore(o.store)
	if err != nil {
		return err
	}
	store, err := spec.open(ctx, mustExist)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing was written
	at := fund.InstantOf(p.now())
	core, err := p.coreOf(ctx, spec, store, at)
	if err != nil {
		return err
	}
	r := &rematchRun{program: p, store: store, core: core, at: at, options: o}
	if r.earlier, err = r.earlierGrades(ctx); err != nil {
		return err
	}
	return p.writeOut(o.out, func(w io.Writer) error { return r.write(ctx, w) })
}

// rematchRun matches customers again and writes their tasks.
type rematchRun struct {
	program *program
	store   bankStore
	core    *matcher.Core
	at      fund.Instant
	earlier *matcher.EarlierGrades // nil: no revision was named
	options *rematchOptions
	total   rematchTotal
}

// rematchTotal is what a run says at its end.
type rematchTotal struct {
	Customers int64 `json:"customers,string"`
	Holdings  int64 `json:"holdings,string"` // above their owners' levels
	Plans     int64 `json:"plans,string"`    // paused
	Unmatched int64 `json:"unmatched,string"`
}

// earlierGrades reads the grades of the revision that was named. The day on which they
// gave way is known when the revision in force is the next one.
func (r *rematchRun) earlierGrades(ctx context.Context) (*matcher.EarlierGrades, error) {
	named := r.options.sinceRevision
	if named == 0 {
		return nil, nil //nolint:nilnil // none was named
	}
	products, err := r.store.Pool(ctx, named)
	if errors.Is(err, features.ErrNotFound) {
		return nil, usageError("--since-revision: %d, expected a published pool revision, at most %d", named, r.core.Identity().PoolRevision)
	}
	if err != nil {
		return nil, err
	}
	now, err := r.store.Published(ctx)
	if err != nil {
		return nil, err
	}
	var replaced fund.Date
	if now.ID == named+1 {
		replaced = now.PublishedAt.Date()
	}
	return matcher.GradesOf(products, replaced), nil
}

// rematchTask is one line of the result.
type rematchTask struct {
	CustomerID  string `json:"customerId"`
	ManagerID   string `json:"managerId"`
	BranchID    string `json:"branchId"`
	ProductCode string `json:"productCode"`
	Kind        string `json:"kind"`
	Grade       string `json:"grade"`
	Level       string `json:"level"`
	Cause       string `json:"cause"`
	Since       string `json:"since"`
	Task        string `json:"task"`
	Text        string `json:"text"`
	Tell        string `json:"tell"` // what the customer is told
}

func rematchColumns() []string {
	return []string{
		"customer_id", "manager_id", "branch_id", "product_code", "kind", "grade", "level", "cause", "since", "task", "text", "tell",
	}
}

func (t *rematchTask) fields() []string {
	return []string{
		t.CustomerID, t.ManagerID, t.BranchID, t.ProductCode, t.Kind, t.Grade, t.Level, t.Cause, t.Since, t.Task, t.Text, t.Tell,
	}
}

// write streams the tasks, by customer, product and kind.
func (r *rematchRun) write(ctx context.Context, w io.Writer) error {
	tasks := r.csvTasks
	if r.options.json {
		tasks = r.jsonTasks
	}
	put, end := tasks(w)
	if err := r.each(ctx, put); err != nil {
		return err
	}
	if err := end(); err != nil {
		return err
	}
	t := &r.total
	r.program.note("%d customers: %d holdings above their owners' levels, %d plans paused", t.Customers, t.Holdings, t.Plans)
	if t.Unmatched > 0 {
		r.program.note("notice: %d holdings could not be matched: the product is not in the pool, or has no grade", t.Unmatched)
	}
	return nil
}

// csvTasks writes the columns' names before the first task or at the end, so that a question
// that is refused leaves no output.
func (r *rematchRun) csvTasks(w io.Writer) (put func(*rematchTask) error, end func() error) {
	out, begun := csv.NewWriter(w), false
	begin := func() error {
		if begun {
			return nil
		}
		begun = true
		return out.Write(rematchColumns())
	}
	put = func(t *rematchTask) error { return errors.Join(begin(), out.Write(t.fields())) }
	return put, func() error {
		err := begin()
		out.Flush()
		return errors.Join(err, out.Error())
	}
}

// jsonTasks writes one document, a task at a time: nobody's memory holds all of them.
func (r *rematchRun) jsonTasks(w io.Writer) (put func(*rematchTask) error, end func() error) {
	next := fmt.Sprintf(`{"at":%q,"poolRevision":"%d","sinceRevision":"%d","tasks":[`,
		r.at, r.core.Identity().PoolRevision, r.options.sinceRevision)
	put = func(t *rematchTask) error {
		data, err := json.Marshal(t)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, next+string(data))
		next = ","
		return err
	}
	return put, func() error {
		data, err := json.Marshal(&r.total)
		if err != nil {
			return err
		}
		if next == "," {
			next = ""
		}
		_, err = fmt.Fprintf(w, "%s],\"total\":%s}\n", next, data)
		return err
	}
}

// rematchPage is how many customers a worker takes at a time.
const rematchPage = 256

// rematchedPage is some customers and, when a worker is done with them, their tasks.
type rematchedPage struct {
	ids   []string
	tasks []rematchTask
	total rematchTotal
	err   error
	done  chan struct{}
}

// each gives the tasks of all customers in the order of their ids, whatever the number of
// workers. At most a few pages are in memory.
func (r *rematchRun) each(ctx context.Context, put func(*rematchTask) error) error {
	customers, err := r.count(ctx)
	if err != nil {
		return err
	}
	bar := r.program.startProgress("rematch", "customers", customers)
	defer bar.end()
	group, ctx := errgroup.WithContext(ctx)
	work, ordered := make(chan *rematchedPage), make(chan *rematchedPage, 2*r.options.workers)
	group.Go(func() error {
		defer close(work)
		defer close(ordered)
		return r.pages(ctx, func(p *rematchedPage) error {
			for _, to := range [...]chan *rematchedPage{ordered, work} {
				select {
				case to <- p:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	})
	for range r.options.workers {
		group.Go(func() error {
			var buffer matcher.Rematch
			for page := range work {
				page.err = r.matchPage(ctx, page, &buffer)
				close(page.done)
			}
			return nil
		})
	}
	group.Go(func() error {
		for page := range ordered {
			select {
			case <-page.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := r.take(page, put); err != nil {
				return err
			}
			bar.set(r.total.Customers)
		}
		return nil
	})
	return group.Wait()
}

// take writes what a worker found.
func (r *rematchRun) take(page *rematchedPage, put func(*rematchTask) error) error {
	if page.err != nil {
		return page.err
	}
	for i := range page.tasks {
		if err := put(&page.tasks[i]); err != nil {
			return err
		}
	}
	r.total.Customers += int64(len(page.ids))
	r.total.Holdings += page.total.Holdings
	r.total.Plans += page.total.Plans
	r.total.Unmatched += page.total.Unmatched
	return nil
}

// count is how many customers there are to match.
func (r *rematchRun) count(ctx context.Context) (int64, error) {
	if r.options.customer != "" {
		return 1, nil
	}
	var n int64
	err := r.pages(ctx, func(p *rematchedPage) error { n += int64(len(p.ids)); return nil })
	return n, err
}

// pages yields the customers in the order of their ids.
func (r *rematchRun) pages(ctx context.Context, yield func(*rematchedPage) error) error {
	if id := r.options.customer; id != "" {
		return yield(&rematchedPage{ids: []string{id}, done: make(chan struct{})})
	}
	after := ""
	for {
		ids, err := r.store.CustomerIDs(ctx, after, rematchPage)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := yield(&rematchedPage{ids: ids, done: make(chan struct{})}); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

// matchPage matches some customers.
func (r *rematchRun) matchPage(ctx context.Context, page *rematchedPage, found *matcher.Rematch) error {
	for _, id := range page.ids {
		profile, err := r.store.Profile(ctx, id, r.at)
		if err != nil {
			return err
		}
		if err := r.core.Rematch(profile, r.at, r.earlier, found); err != nil {
			return err
		}
		page.total.Unmatched += int64(len(found.Unmatched))
		for i := range found.Mismatches {
			task, err := r.task(found, &found.Mismatches[i])
			if err != nil {
				return fmt.Errorf("customer %s: %w", id, err)
			}
			page.tasks = append(page.tasks, task)
			if found.Mismatches[i].Paused() {
				page.total.Plans++
			} else {
				page.total.Holdings++
			}
		}
	}
	return nil
}

func (r *rematchRun) task(of *matcher.Rematch, m *matcher.Mismatch) (rematchTask, error) {
	text, err := r.core.ForManager(m)
	tell, tellErr := r.core.ForCustomer(m)
	return rematchTask{
		CustomerID: of.CustomerID, ManagerID: of.ManagerID, BranchID: of.BranchID, ProductCode: m.ProductCode, Kind: m.Kind.String(),
		Grade: m.Grade.String(), Level: m.Level.String(), Cause: m.Cause.String(), Since: m.Since.String(), Task: m.Task.String(),
		Text: text, Tell: tell,
	}, errors.Join(err, tellErr)
}
