package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features/view"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// testWorld is a world whose clock stands still and whose ids are the same in every run.
func testWorld(stdin string) (world, *bytes.Buffer, *bytes.Buffer) {
	var stdout, stderr bytes.Buffer
	return world{
		version: "test", stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr,
		now:    func() time.Time { return time.Date(2026, 6, 30, 2, 0, 0, 0, time.UTC) },
		random: zeros{},
	}, &stdout, &stderr
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// inProcess runs a command line in this process.
func inProcess(ctx context.Context, stdin string, args ...string) finished {
	w, stdout, stderr := testWorld(stdin)
	code := run(ctx, w, args)
	return finished{code, stdout.String(), stderr.String()}
}

// Every verb tells its purpose, and its help shows an example.
func TestHelpHasAnExampleForEveryVerb(t *testing.T) {
	t.Parallel()
	w, _, _ := testWorld("")
	var visit func(*cobra.Command)
	verbs := 0
	visit = func(cmd *cobra.Command) {
		verbs++
		if cmd.Short == "" || cmd.Example == "" || cmd.Args == nil || cmd.RunE == nil {
			t.Errorf("%s: short %q, example %q, arguments checked %v", cmd.CommandPath(), cmd.Short, cmd.Example, cmd.Args != nil)
		}
		out := inProcess(t.Context(), "", append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		if out.code != exitDone || !strings.Contains(out.stdout, "Examples:") {
			t.Errorf("%s --help: exit code %d\n%s", cmd.CommandPath(), out.code, out.stdout)
		}
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	visit(newRoot(w))
	if verbs < 15 {
		t.Errorf("only %d verbs", verbs)
	}
}

// docs/cli.md names every verb and every flag.
func TestDocumentationNamesEveryVerbAndFlag(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	w, _, _ := testWorld("")
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if !strings.Contains(page, cmd.CommandPath()) {
			t.Errorf("docs/cli.md lacks %q", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Flags().FlagUsages()) {
			name := strings.Fields(line)[0]
			if !strings.Contains(page, strings.TrimSuffix(name, ",")) {
				t.Errorf("docs/cli.md lacks %s of %s", name, cmd.CommandPath())
			}
		}
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	visit(newRoot(w))
}

// Whoever copies an example of the help or of docs/cli.md is not told that it is wrong: its verb and flags are there,
// and so are the views and purposes that it names.
func TestExamplesAreTaken(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	w, _, _ := testWorld("")
	text := strings.Builder{}
	text.Write(page)
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		text.WriteString("\n" + cmd.Example + "\n")
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	visit(newRoot(w))
	seen := 0
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "  ") { // examples are indented, in the help and on the page
			continue
		}
		for part := range strings.SplitSeq(strings.ReplaceAll(line, "&&", "|"), "|") {
			if _, words, found := strings.Cut(part, "fundmatch "); found && !strings.Contains(part, "fundmatch: ") && !strings.Contains(part, "is ready") {
				seen++
				checkExample(t, strings.Fields(words))
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d examples", seen)
	}
}

func checkExample(t *testing.T, words []string) {
	t.Helper()
	if at := slices.Index(words, ">"); at >= 0 {
		words = words[:at]
	}
	w, _, _ := testWorld("")
	cmd, rest, err := newRoot(w).Find(words)
	if err != nil || cmd.ParseFlags(rest) != nil {
		t.Errorf("fundmatch %s: no such verb or flag", strings.Join(words, " "))
		return
	}
	views := cmd.Flag("views")
	if views == nil || cmd.Flag("catalogue").Changed {
		return
	}
	o := featuresOptions{views: views.Value.String()}
	if purpose := cmd.Flag("purpose"); purpose != nil {
		o.purpose = purpose.Value.String()
	}
	if _, err := o.request(view.Default()); err != nil {
		t.Errorf("fundmatch %s: %v", strings.Join(words, " "), err)
	}
	if cmd.Name() == "as-of" || o.views == "" {
		return // of one customer an open view names what he has
	}
	if _, err := view.Default().PlanViews(o.names()); err != nil {
		t.Errorf("fundmatch %s: %v", strings.Join(words, " "), err)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if out := inProcess(t.Context(), "", "version"); out.code != exitDone || !strings.HasPrefix(out.stdout, "fundmatch test (go") {
		t.Errorf("version: %+v", out)
	}
	if v := decode[versionAnswer](t, inProcess(t.Context(), "", "version", "--json").stdout); v.Version != "test" {
		t.Errorf("version --json: %+v", v)
	}
}

func TestCompletionIsThere(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := inProcess(t.Context(), "", "completion", shell); out.code != exitDone || !strings.Contains(out.stdout, "fundmatch") {
			t.Errorf("completion %s: exit code %d, %d bytes", shell, out.code, len(out.stdout))
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	cases := []struct {
		err  error
		want int
	}{
		{usageError("x"), exitUsage},
		{failedError("x"), exitFailed},
		{unavailableError(io.EOF, "x"), exitUnavailable},
		{fmt.Errorf("deep: %w", &features.NotFoundError{Kind: features.CustomerKind, ID: "X"}), exitUsage},
		{features.Invalid("limit", "0", "1 to 50"), exitUsage},
		{&dataset.Error{File: "nav.csv", Line: 2, Expected: "a number"}, exitUsage},
		{features.ErrUnavailable, exitUnavailable},
		{features.ErrNewerStore, exitUnavailable},
		{features.ErrNoPool, exitUnavailable},
		// What does not compile is unavailable, though its cause is a value of the data.
		{fmt.Errorf("%w: product P: %w", matcher.ErrCompile, fund.ErrInvalid), exitUnavailable},
		{decisionlog.ErrFull, exitUnavailable},
		{decisionlog.ErrBusy, exitUnavailable},
		{decisionlog.ErrNewerFormat, exitUnavailable},
		{&decisionlog.BrokenError{}, exitFailed},
		{decisionlog.ErrNotFound, exitUsage},
		{&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, exitUnavailable},
		{&os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, exitUsage},
		{&settingError{"http.address", "x", "y"}, exitUsage},
		{&configError{file: "f", text: "x"}, exitUsage},
		// A full disk is unavailable even where the input is at fault too.
		{errors.Join(features.ErrInvalid, syscall.ENOSPC), exitUnavailable},
		{errors.New("nobody foresaw this"), exitUnavailable},
	}
	for _, c := range cases {
		if got := codeOf(&verbError{c.err}); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

// An interrupted verb says so and nothing else, and has its own exit code.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	out := inProcess(ctx, "", "demo", "--out", filepath.Join(dir, "bank"), "--customers", "300")
	if out.code != exitInterrupted || out.stderr != "fundmatch: interrupted\n" {
		t.Errorf("an interrupted demo: %+v", out)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("an interrupted demo left %v, %v", entries, err)
	}
}

func TestErrorsAreOneLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	code := tellFailure(t.Context(), &out, &verbError{errors.Join(features.ErrNoPool, errors.New("a\r\nb"))})
	if code != exitUnavailable || out.String() != "fundmatch: no pool is published; a; b\n" {
		t.Errorf("%d %q", code, out.String())
	}
}

func TestParseStore(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text, path, decisions string
		good                  bool
	}{
		{"sqlite:bank.db", "bank.db", "bank.db.decisions", true},
		{"sqlite:/var/lib/a b.db", "/var/lib/a b.db", "/var/lib/a b.db.decisions", true},
		{"memory:", "", "", true},
		{"memory:x", "", "", false},
		{"sqlite:", "", "", false},
		{"bank.db", "", "", false},
		{"", "", "", false},
		{"postgres://h/d", "", "fundmatch.decisions", true},
		{"postgresql://u:secret@h:6432/d?sslmode=require", "", "fundmatch.decisions", true},
		{"postgres://u:secret@h:port/d", "", "", false},
		{"postgres:d", "", "", false},
		{"postgres:u:secret@h/d", "", "", false},
		{"Postgres://u:secret@h/d", "", "", false},
		{"postgre://u:secret@h/d", "", "", false},
		{"host=h user=u password=secret dbname=d", "", "", false},
		{"u:secret@h/d", "", "", false},
	}
	for _, c := range cases {
		spec, err := parseStore(c.text)
		if (err == nil) != c.good || err != nil && codeOf(err) != exitUsage {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if strings.Contains(fmt.Sprint(err, spec.text), "secret") {
			t.Errorf("%q shows its password: %v, %q", c.text, err, spec.text)
		}
		if c.good && (spec.path != c.path || spec.decisions("") != c.decisions || spec.decisions("there") != "there") {
			t.Errorf("%q: %+v, decisions in %q", c.text, spec, spec.decisions(""))
		}
	}
}

func TestWordingLint(t *testing.T) {
	t.Parallel()
	const unlawful = "过往业绩不预示未来表现。\n本产品保本保收益\n"
	out := inProcess(t.Context(), unlawful, "wording", "lint", "--json")
	got := decode[lintAnswer](t, out.stdout)
	if out.code != exitFailed || len(got.Findings) != 1 || got.Findings[0].Line != 2 || got.Findings[0].Text != "保本保收益" || got.Findings[0].Start != 3 || got.Findings[0].End != 8 {
		t.Errorf("an unlawful text: exit code %d, %+v", out.code, got)
	}
	if out := inProcess(t.Context(), unlawful, "wording", "lint"); !strings.Contains(out.stdout, "stdin:2:4: W07 保本保收益") {
		t.Errorf("lint printed %q", out.stdout)
	}
	clean := inProcess(t.Context(), "基金有风险，投资须谨慎。", "wording", "lint", "--json")
	if clean.code != exitDone || clean.stdout != "{\"findings\":[]}\n" {
		t.Errorf("a clean text: %+v", clean)
	}
	gbk := "\xb1\xbe\xb2\xfa\xc6\xb7\xb1\xa3\xb1\xbe" // 本产品保本
	if out := inProcess(t.Context(), "好\n\n"+gbk, "wording", "lint"); out.code != exitUsage || !strings.Contains(out.stderr, "stdin:3: byte 0xb1, expected UTF-8") {
		t.Errorf("a text in GBK: code %d %s, want %d and the line", out.code, out.stderr, exitUsage)
	}
	if out := inProcess(t.Context(), "\uFFFD", "wording", "lint"); out.code != exitDone {
		t.Errorf("the replacement character itself is refused: %s", out.stderr)
	}
	if big := inProcess(t.Context(), strings.Repeat("a", maxLintBytes+1), "wording", "lint"); big.code != exitUsage {
		t.Errorf("a text of %d bytes: exit code %d", maxLintBytes+1, big.code)
	}
}

// A rule that is off is not reported, and a name that is no rule is refused.
func TestWordingLintOff(t *testing.T) {
	t.Parallel()
	const text = "基金规模突破百亿，本产品保本"
	out := inProcess(t.Context(), text, "wording", "lint", "--json", "--off", "W06")
	got := decode[lintAnswer](t, out.stdout)
	if out.code != exitFailed || len(got.Findings) != 1 || got.Findings[0].Rule != "W07" {
		t.Errorf("without W06: exit code %d, %+v", out.code, got)
	}
	if out := inProcess(t.Context(), text, "wording", "lint", "--off", "W06,W07"); out.code != exitDone || out.stdout != "" {
		t.Errorf("without W06 and W07: %+v", out)
	}
	if out := inProcess(t.Context(), text, "wording", "lint", "--off", "W99"); out.code != exitUsage || !strings.Contains(out.stderr, `"W99" is no text rule`) {
		t.Errorf("an unknown rule: %+v", out)
	}
}

// A file gets its name when all of it is written, and no half of it is left behind.
func TestWriteFileWholeOrNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "out.csv")
	if err := writeFile(name, func(w io.Writer) error { _, err := io.WriteString(w, "old"); return err }); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := writeFile(name, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	})
	text, readErr := os.ReadFile(name)
	if !errors.Is(err, broken) || readErr != nil || string(text) != "old" {
		t.Errorf("after a failed write: %v, %q, %v", err, text, readErr)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// A mistyped --out costs nobody a store, a folder or a device.
func TestWriteFileReplacesFilesOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := writeText(t, filepath.Join(dir, "bank.db"), sqliteMagic+"and pages")
	for name, says := range map[string]string{store: "SQLite store", dir: "directory", os.DevNull: "no regular file"} {
		err := writeFile(name, func(io.Writer) error { return errors.New("was written") })
		if err == nil || codeOf(err) != exitUsage || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want code %d and it to say %q", name, err, exitUsage, says)
		}
	}
	if text := textOf(t, store); !strings.HasSuffix(text, "and pages") {
		t.Errorf("the store is %q", text)
	}
}

// Progress is for people: not with --quiet, not into a file.
func TestProgressOnlyOnATerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ terminal, quiet, shown bool }{{true, false, true}, {true, true, false}, {false, false, false}} {
		var stderr bytes.Buffer
		p := &program{world: world{stderr: &stderr, terminal: c.terminal}, quiet: c.quiet}
		bar := p.startProgress("products.csv", "rows", 10)
		bar.set(10)
		bar.rename("nav.csv", 20)
		bar.set(5)
		bar.end()
		// A part that reached its end must not silence the next.
		if named := strings.Contains(stderr.String(), "nav.csv"); named != c.shown {
			t.Errorf("%+v: the second part is shown: %v", c, named)
		}
		if shown := stderr.Len() > 0; shown != c.shown {
			t.Errorf("%+v: wrote %q", c, stderr.String())
		}
	}
}

// A text from outside cannot move the cursor of whoever reads the card.
func TestCardLeavesOutControlCharacters(t *testing.T) {
	t.Parallel()
	var c card
	c.line(1, "%s", "a\x1b[2Jb\nc")
	if got := c.b.String(); got != "  a[2Jbc\n" {
		t.Errorf("%q", got)
	}
}
