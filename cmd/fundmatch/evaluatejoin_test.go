package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/services/evaluation/joined"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// joinedRows reads a joined log in CSV, by column.
func joinedRows(t *testing.T, name string) []map[string]string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	all, err := csv.NewReader(file).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	rows := make([]map[string]string, len(all)-1)
	for i, fields := range all[1:] {
		rows[i] = map[string]string{}
		for k, name := range all[0] {
			rows[i][name] = fields[k]
		}
	}
	return rows
}

func decimal(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// logHash is the hash of a log's rows, whatever its format.
func logHash(t *testing.T, name string) string {
	t.Helper()
	log, err := policylog.Open([]string{name}, policylog.Options{Target: true, Texts: joined.TextColumns(), Numbers: joined.NumberColumns()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	cursor, err := log.File(0, policylog.Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cursor.Close() }()
	var blocks [][32]byte
	for {
		var b policylog.Block
		if err := cursor.Next(&b); errors.Is(err, io.EOF) {
			h := policylog.HashFile(blocks)
			return string(h[:])
		} else if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, b.SHA256)
	}
}

// weighing is inverse propensity scoring in its plainest form.
type weighing struct{ n, sum, squares, rewards float64 }

func (w *weighing) add(reward, weight float64) {
	w.n++
	w.sum += reward * weight
	w.squares += reward * weight * reward * weight
	w.rewards += reward
}

func (w *weighing) value() float64  { return w.sum / w.n }
func (w *weighing) plain() float64  { return w.rewards / w.n }
func (w *weighing) stderr() float64 { return math.Sqrt((w.squares/w.n - w.value()*w.value()) / w.n) }

// check holds the estimate against the truth.
func (w *weighing) check(t *testing.T, what string, truth *truth) {
	t.Helper()
	t.Logf("%s: %v rows, IPS %.5f +- %.5f, truth %.5f; logged %.5f, truth of it %.5f", what, w.n, w.value(), w.stderr(), truth.greedy, w.plain(), truth.logged)
	if w.n != float64(truth.rows) || w.n < 300 || math.Abs(w.value()-truth.greedy) > 3*w.stderr() {
		t.Errorf("%s: IPS %v +- %v of %v rows, the truth of %d rows is %v", what, w.value(), w.stderr(), w.n, truth.rows, truth.greedy)
	}
}

// The joined log of a bank whose customers behave in a known way: what inverse propensity scoring makes of it is the
// truth about the lists without exploration, which the log itself is not; the same rows in every format and for any
// number of workers.
func TestTheJoinedLogFindsTheTruth(t *testing.T) {
	t.Parallel()
	l := loadedBank(t, smallLoad())
	dir := t.TempDir()
	join := func(name, workers string) *joined.Summary {
		told := decode[joined.Summary](t, mustRun(t, "evaluate", "join", "--store", l.store, "--window", "240h", "--policy", "greedy", "--need-decision",
			"--out", name, "--workers", workers, "--json"))
		return &told
	}
	name, other := filepath.Join(dir, "joined.csv"), filepath.Join(dir, "joined.parquet")
	told := join(name, "1")
	if told.Records.Decisions != int64(l.decisions) || told.Rows != int64(l.rows) || told.Censored != int64(l.rows-l.all.rows) || told.Joined.OutcomesNamed < 100 {
		t.Errorf("%d decisions with %d rows were made; told %+v", l.decisions, l.rows, told)
	}
	var all, chance weighing
	for _, r := range joinedRows(t, name) {
		if r["reward"] == "" {
			continue
		}
		propensity := decimal(t, r["propensity"])
		all.add(decimal(t, r["reward"]), decimal(t, r["target_propensity"])/propensity)
		if propensity < 1 {
			chance.add(decimal(t, r["reward"]), decimal(t, r["target_propensity"])/propensity)
		}
	}
	all.check(t, "all rows", &l.all)
	chance.check(t, "places left to chance", &l.chance)
	if math.Abs(chance.plain()-l.chance.greedy) < 4*chance.stderr() {
		t.Errorf("the log's own mean %v is as near to the truth %v: the load shows nothing", chance.plain(), l.chance.greedy)
	}
	if again := join(other, "3"); fmt.Sprint(again.Joined, again.Records) != fmt.Sprint(told.Joined, told.Records) || logHash(t, other) != logHash(t, name) {
		t.Errorf("in Parquet with three workers: %+v and other rows, %+v in CSV", again, told)
	}
	l.judged(t, name)
}

// judged runs the verbs that judge, over the joined log and over the decisions themselves: they say the same.
func (l *bankLoad) judged(t *testing.T, name string) {
	t.Helper()
	decisions := strings.TrimPrefix(l.store, "sqlite:") + ".decisions"
	join := []string{"--decisions", decisions, "--store", l.store, "--window", "240h", "--policy", "greedy", "--need-decision"}
	byLog := mustRun(t, "evaluate", "policy", "--log", name, "--json", "-", "--gate", "ips.ci95.low < 0.051", "--gate", "ips.ci95.high > 0.051")
	if byDecisions := mustRun(t, append([]string{"evaluate", "policy", "--json", "-", "--gate", "ips.ci95.low < 0.051", "--gate", "ips.ci95.high > 0.051"}, join...)...); byDecisions != byLog {
		t.Errorf("over the decisions:\n%s\nover the joined log:\n%s", byDecisions, byLog)
	}
	dir := t.TempDir()
	one, other := filepath.Join(dir, "log"), filepath.Join(dir, "decisions")
	mustRun(t, "evaluate", "report", "--log", name, "--out", one)
	mustRun(t, append([]string{"evaluate", "report", "--out", other}, join...)...)
	first, err := os.ReadFile(filepath.Join(one, reportJSON))
	if err != nil {
		t.Fatal(err)
	}
	if second, err := os.ReadFile(filepath.Join(other, reportJSON)); err != nil || !bytes.Equal(first, second) {
		t.Errorf("the reports differ (%v)", err)
	}
	w, _, _ := testWorld("")
	path, cleanup, err := (&program{world: w}).joinedLog(t.Context(), &joinOptions{store: l.store, window: time.Hour, outcome: "CLICK", reward: "happened", policy: "greedy"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cleanup) // however this ends
	if logHash(t, path); path == "" {
		t.Error("nothing was joined")
	}
	if cleanup(); !errors.Is(statError(path), os.ErrNotExist) {
		t.Errorf("%s is left behind", path)
	}
}

func statError(name string) error {
	_, err := os.Stat(name)
	return err
}

// The model in force as the candidate: who was answered by it has the weight 1 everywhere, and who was answered by the
// other arm's has what it would have shown him.
func TestTheModelInForceAsCandidate(t *testing.T) {
	t.Parallel()
	o := smallLoad()
	o.customers, o.instants = 60, o.instants[2:]
	l := loadedBank(t, o)
	dir := t.TempDir()
	name := filepath.Join(dir, "joined.csv")
	told := decode[joined.Summary](t, mustRun(t, "evaluate", "join", "--store", l.store, "--policy", "active", "--out", name, "--json"))
	control, heavy, differ := 0, 0, 0
	for _, r := range joinedRows(t, name) {
		same := r["target_propensity"] == r["propensity"] && r["unsupported"] == "0"
		switch r["arm"] {
		case "quality:control":
			control++
			if !same {
				t.Fatalf("%v", r)
			}
		case "quality:heavy":
			heavy++
			if !same {
				differ++
			}
		default:
			t.Fatalf("arm %q", r["arm"])
		}
	}
	broken := 0
	for _, r := range joinedRows(t, name) {
		if r["unsupported"] != "0" {
			broken++
		}
	}
	judged := mustRun(t, "evaluate", "policy", "--log", name, "--json", "-")
	if !strings.Contains(judged, fmt.Sprintf(`"support_violations": %d,`, broken)) || !strings.Contains(judged, `"SUPPORT_BROKEN"`) || strings.Contains(judged, `"GIVEN"`) {
		t.Errorf("with %d rows that lack support:\n%s", broken, judged)
	}
	for _, packed := range []string{"joined.ndjson.gz", "joined.csv.zst", "joined.parquet"} {
		packed = filepath.Join(dir, packed)
		if mustRun(t, "evaluate", "join", "--store", l.store, "--policy", "active", "--out", packed, "--workers", "3", "--layer", "models"); logHash(t, packed) != logHash(t, name) {
			t.Errorf("%s has other rows", packed)
		}
	}
	if told.Joined.ByProduct == 0 || control == 0 || heavy == 0 || differ == 0 || told.Policy == nil || told.Policy.Unsupported == 0 {
		t.Errorf("%d rows of the control, %d of the other arm, %d of which differ: %+v", control, heavy, differ, told.Policy)
	}
}

// What cannot be done is refused with what was expected, and leaves no file.
func TestEvaluateJoinRefuses(t *testing.T) {
	t.Parallel()
	store, dir := bankInProcess(t), t.TempDir()
	mustRun(t, "recommend", demoCustomer, "--store", store)
	out := filepath.Join(dir, "joined.csv")
	own := filepath.Join(dir, "own.yaml")
	if err := os.WriteFile(own, []byte("name: no model"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--out", "joined.txt"}, exitUsage, `--out: "joined.txt", expected a file name that ends in .parquet, .csv or .ndjson`},
		{[]string{"--out", "joined.parquet.gz"}, exitUsage, "expected a file name"},
		{[]string{"--out", ""}, exitUsage, `--out: "", expected`},
		{[]string{"--window", "0s"}, exitUsage, "--window: 0s, expected more than 0s"},
		{[]string{"--window", "-1h"}, exitUsage, "--window: -1h0m0s"},
		{[]string{"--window", "26281h"}, exitUsage, "at most 26280h0m0s"},
		{[]string{"--outcome", "BUY"}, exitUsage, `--outcome: "BUY", expected a kind of event such as ORDER_CONFIRM`},
		{[]string{"--reward", "money"}, exitUsage, `--reward: "money", expected happened or amount`},
		{[]string{"--reward", "amount", "--outcome", "CLICK"}, exitUsage, "amount of CLICK"},
		{[]string{"--since", "yesterday"}, exitUsage, "--since:"},
		{[]string{"--through", "2026-07-30"}, exitUsage, "expected at most now"},
		{[]string{"--through", "2026-06-01"}, exitUsage, "no recommendations to join"},
		{[]string{"--channel", "WEB"}, exitUsage, `--channel: "WEB", expected APP or BRANCH`},
		{[]string{"--audience", "ALL"}, exitUsage, `--audience: "ALL", expected CUSTOMER or MANAGER`},
		{[]string{"--channel", "BRANCH", "--through", "2026-06-30T10:00:00+08:00"}, exitUsage, "1 are of another channel or reader"},
		{[]string{"--audience", "MANAGER", "--through", "2026-06-30T10:00:00+08:00"}, exitUsage, "1 are of another channel or reader"},
		{[]string{"--workers", "0"}, exitUsage, "--workers: 0, expected 1 to"},
		{[]string{"--policy", filepath.Join(dir, "none.yaml")}, exitUsage, "cannot be read"},
		{[]string{"--policy", own, "--through", "2026-06-30T10:00:00+08:00"}, exitUsage, "--policy: " + own + ": model refused: "},
		{[]string{"--policy", own, "--out", own + ".csv", "--decisions", filepath.Join(dir, "nowhere")}, exitUnavailable, "there is no decision log"},
		{[]string{"--store", "memory:"}, exitUsage, "memory:"},
		{[]string{"--store", "sqlite:" + filepath.Join(dir, "none.db"), "--decisions", strings.TrimPrefix(store, "sqlite:") + ".decisions"}, exitUnavailable, "none.db"},
	} {
		got := inProcess(t.Context(), "", append([]string{"evaluate", "join", "--store", store, "--out", out}, c.args...)...)
		if got.code != c.code || !strings.Contains(got.stderr, c.says) {
			t.Errorf("%v: exit code %d, %q, expected %d that says %q", c.args, got.code, got.stderr, c.code, c.says)
		}
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--log", out, "--window", "24h"}, "--window: expected together with --decisions"},
		{[]string{"--log", out, "--decisions", dir}, "--decisions: expected instead of --log"},
		{[]string{"--decisions", dir, "--shard", "0/2"}, "expected no --shard and no --checkpoint"},
		{[]string{"--decisions", dir, "--checkpoint", out}, "expected no --shard and no --checkpoint"},
		{[]string{"--decisions", dir, "--policy", "greedy", "--target-policy", own}, "expected one policy"},
		{[]string{"--decisions", dir}, "--policy: expected a policy to judge"},
		{[]string{"--decisions", dir, "--policy", "greedy", "--window", "0s"}, "--window: 0s, expected more than 0s"},
	} {
		if got := inProcess(t.Context(), "", append([]string{"evaluate", "policy"}, c.args...)...); got.code != exitUsage || !strings.Contains(got.stderr, c.says) {
			t.Errorf("policy %v: exit code %d, %q, expected %d that says %q", c.args, got.code, got.stderr, exitUsage, c.says)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := inProcess(ctx, "", "evaluate", "join", "--store", store, "--out", out); got.code != exitInterrupted {
		t.Errorf("interrupted: exit code %d, %q", got.code, got.stderr)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v (%v), expected own.yaml alone", entries, err)
	}
	if got := mustRun(t, "evaluate", "join", "--store", store, "--out", out, "--through", "2026-06-30T10:00:00+08:00"); !strings.Contains(got, "1 decisions, 3 rows, 3 of them censored") {
		t.Errorf("%s", got)
	}
}
