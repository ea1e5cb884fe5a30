package training

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
	"github.com/fundmatch/fundmatch/matcher/wording"

	"github.com/fundmatch/fundmatch/features"
)

// A core with the affinity that was trained ahead scores as one that learned from the same
// purchases itself; one of a day before the training does not take it.
func TestTheTrainedAffinityIsTheCoresOwn(t *testing.T) {
	store := aBank(t, 600, 40)
	result := run(t, store, Options{})
	trained, err := score.ParseModel(result.Model)
	if err != nil {
		t.Fatal(err)
	}
	if trained.Affinity == nil || len(trained.Affinity.Names.Items) == 0 || !slices.IsSorted(trained.Affinity.Names.Groups) {
		t.Fatalf("affinity %+v", trained.Affinity)
	}
	if told := result.Report.Affinity; told == nil || told.Funds != len(trained.Affinity.Names.Items) || told.Held < 1 || told.Held > told.Funds ||
		told.AsOf != result.Report.Training.Through || told.Bytes < told.Funds {
		t.Errorf("told %+v of %d funds", told, len(trained.Affinity.Names.Items))
	}
	last := fund.DateOfDay(int(trained.Affinity.Model.AsOf()))
	own := *trained
	own.Affinity = nil
	for _, day := range []fund.Date{last, last.AddDays(-20)} {
		ahead, self := popularity(t, coreOn(t, store, trained, day)), popularity(t, coreOn(t, store, &own, day))
		if !slices.Equal(ahead, self) {
			t.Errorf("on %s the trained affinity gives %v, the core's own %v", day, ahead, self)
		}
	}
	if slices.Equal(popularity(t, coreOn(t, store, &own, last)), popularity(t, coreOn(t, store, &own, last.AddDays(-20)))) {
		t.Error("nobody bought anything in 20 days: nothing was tried")
	}
}

// coreOn compiles the bank's pool as of the end of a day.
func coreOn(t *testing.T, store Store, m *score.Model, day fund.Date) *matcher.Core {
	t.Helper()
	ctx := context.Background()
	revision, err := store.Published(ctx)
	if err != nil {
		t.Fatal(err)
	}
	products, err := store.Pool(ctx, revision.ID)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		t.Fatal(err)
	}
	text, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		t.Fatal(err)
	}
	cut := features.Cut{AsOf: day.Start(), Seq: revision.Seq}
	core, err := matcher.Compile(&matcher.Inputs{
		Identity: matcher.Identity{PoolRevision: revision.ID, DataSeq: revision.Seq, AsOf: cut.AsOf, Engine: "test"},
		Products: products, Model: m, Rules: rules, Wording: text,
		NAVs:      func(yield func(string, []fund.NAV) error) error { return store.NAVs(ctx, cut, yield) },
		Purchases: func(yield func(string, []fund.Purchase) error) error { return store.Purchases(ctx, cut, yield) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return core
}

// popularity is that of every product for a customer of whom nothing may be read.
func popularity(t *testing.T, core *matcher.Core) []string {
	t.Helper()
	from, _ := core.Validity()
	var values []string
	for i := range core.Len() {
		e, err := core.Explain(&fund.Profile{CustomerID: "nobody"}, core.Product(i).Code, matcher.Request{At: from, Channel: fund.App, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range e.Slate.Items[0].Contributions {
			if x.Feature == score.Popularity {
				values = append(values, fmt.Sprintf("%s %.6f", core.Product(i).Code, x.Value))
			}
		}
	}
	return values
}

// A segment is a group, in the order of the names, and nothing stands for an unknown one.
func TestSegmentsAreGroups(t *testing.T) {
	got := groupsOf([]owner{{segment: "MASS"}, {}, {segment: "GOLD"}, {segment: "MASS"}})
	if !slices.Equal(got, []string{"GOLD", "MASS"}) {
		t.Errorf("groups %v", got)
	}
	many := make([]owner, 100)
	for i := range many {
		many[i].segment = fmt.Sprintf("s%03d", i)
	}
	if got := groupsOf(many); len(got) != affinity.MaxFact+1 {
		t.Errorf("%d groups, expected the %d that a model holds", len(got), affinity.MaxFact+1)
	}
}

// What the dataset takes as a name, a training can write: texts are bounded in characters.
func TestLongNamesAreLearned(t *testing.T) {
	r := begun(t, &told{Store: aBank(t, 40, 40), histories: buyers(9)}, Options{})
	long := strings.Repeat("金", fund.MaxTextLength)
	for i := range r.owners {
		r.owners[i].segment = long
	}
	r.pool.products[0].Parties.Issuer = long
	sections := map[string][]byte{}
	if err := r.addAffinity(t.Context(), sections); err != nil {
		t.Fatal(err)
	}
	_, names, err := affinity.Decode(sections[modelfile.SectionAffinity])
	if err != nil || !slices.Equal(names.Groups, []string{long}) || !slices.Contains(names.Issuers, long) {
		t.Errorf("groups %q, issuers %q, %v", names.Groups, names.Issuers, err)
	}
}
