package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// recordedAgain writes the one decision of a log into another, once by each version of the
// definitions that features are derived by.
func recordedAgain(t *testing.T, from string, versions ...string) (dir string) {
	t.Helper()
	reader, err := decisionlog.OpenReader(from)
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "decisions")
	log, err := decisionlog.Open(dir, decisionlog.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for stored, err := range reader.All(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		slate, err := matcher.ParseSlate(stored.Payload)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range versions {
			slate.Identity.Definitions = version
			record := decisionlog.Record{
				DecisionID: uuid.Must(uuid.NewV7()).String(), DecidedAt: stored.DecidedAt, CustomerID: stored.CustomerID,
				Kind: stored.Kind, Profile: stored.Profile, Payload: slate.AppendCanonical(nil),
			}
			if err := log.Append(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Receipts say by which definitions features were derived when they were sealed, and which
// of them are not the program's. The inputs are what they compare: they match all the same.
func TestFeaturesVerifySaysTheDefinitions(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	mustRun(t, "recommend", demoCustomer, "--store", store)
	args := []string{"features", "verify", "--store", store}
	if out := mustRun(t, args...); !strings.Contains(out, "definitions of derived features: version "+behaviour.DefinitionVersion+", this program's (1 decision)\n") {
		t.Errorf("at once: %s", out)
	}
	args = append(args, "--decisions", recordedAgain(t, strings.TrimPrefix(store, "sqlite:")+".decisions", "", "1", behaviour.DefinitionVersion, "1"))
	sum := decode[receiptSummary](t, mustRun(t, append(args, "--json")...))
	want := []definitionsAnswer{{"", 1, false}, {"1", 2, true}, {behaviour.DefinitionVersion, 1, false}}
	if diff := cmp.Diff(want, sum.Sealed); diff != "" || sum.Program != behaviour.DefinitionVersion || sum.Decisions != 4 {
		t.Errorf("%+v (- want, + got):\n%s", sum, diff)
	}
	out := mustRun(t, args...)
	for _, line := range []string{
		"definitions of derived features: none sealed: recorded before a record named them (1 decision)\n",
		"definitions of derived features: version 1 sealed, this program has " + behaviour.DefinitionVersion + ": ",
		"ENGINE_DIFFERS where that shows (2 decisions)\n",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("%q does not say %q", out, line)
		}
	}
	// What was recorded before, and what says the same by other definitions, replays as ever.
	if out := mustRun(t, "replay", "--all", "--store", store, args[4], args[5]); !strings.Contains(out, "4 decisions: 4 MATCH, 0 MISMATCH, 0 ENGINE_DIFFERS") {
		t.Errorf("replay: %s", out)
	}
}
