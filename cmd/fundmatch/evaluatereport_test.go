package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/services/evaluation"
)

// The report of a load on the demo bank: the same bytes from every format, for any number of workers and as shards, and a
// page that a browser shows whole on a desk and on a telephone.
func TestTheReportOfALoad(t *testing.T) {
	t.Parallel()
	o := smallLoad()
	o.customers, o.instants = 150, o.instants[:2]
	l := loadedBank(t, o)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	var first, firstPage string
	for i, log := range []string{"joined.csv", "joined.ndjson.gz", "joined.parquet"} {
		mustRun(t, "evaluate", "join", "--store", l.store, "--window", "240h", "--policy", "greedy", "--out", in(log))
		out := in("of-" + log)
		mustRun(t, "evaluate", "report", "--log", in(log), "--out", out, "--workers", fmt.Sprint(1<<i), "--quiet")
		document, page := written(t, filepath.Join(out, reportJSON)), written(t, filepath.Join(out, reportPage))
		if i == 0 {
			first, firstPage = document, page
		}
		if document != first || page != firstPage {
			t.Errorf("%s gives another report than joined.csv", log)
		}
	}
	mustRun(t, "evaluate", "report", "--log", in("joined.csv"), "--shard", "0/2", "--out", in("part-0.json"))
	mustRun(t, "evaluate", "report", "--log", in("joined.csv"), "--shard", "1/2", "--out", in("part-1.json"))
	mustRun(t, "evaluate", "merge", in("part-0.json"), in("part-1.json"), "--out", in("merged"))
	if written(t, filepath.Join(in("merged"), reportJSON)) != first {
		t.Error("the shards put together give another report")
	}
	r := decode[evaluation.Report](t, first)
	if r.Violations == nil || *r.Violations != 0 || r.Log.Rows != int64(l.rows) || len(r.Gates) != 1 || len(r.Experiment.Experiments) == 0 {
		t.Errorf("violations %v, %d rows of %d, gates %v, experiments %v", r.Violations, r.Log.Rows, l.rows, r.Gates, r.Experiment)
	}
	shown := *r.Funnel.Steps[1].Reached
	if bought := *r.Funnel.Steps[4].Reached; bought == 0 || shown < bought {
		t.Errorf("%d exposed, %d bought", shown, bought)
	}
	showWhole(t, firstPage)
}

func written(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A violation stops the release and names itself; the report is written all the same.
func TestEvaluateReportStopsARelease(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "log.csv")
	const header = "decision_id,customer_id,decided_at,position,product_code,reward,propensity,target_propensity,risk_level,risk_grade\n"
	write := func(rows string) {
		if err := os.WriteFile(log, []byte(header+rows), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "report")
	for _, c := range []struct {
		name, rows string
		args       []string
		code       int
		says       string
		written    bool
	}{
		{"a violation", "d1,c1,2026-01-01T00:00:00Z,1,A,1,0.5,0.5,C1,R2\n", nil, exitFailed, "violations == 0: it is 1", true},
		{"none", "d1,c1,2026-01-01T00:00:00Z,1,A,1,0.5,0.5,C2,R2\n", nil, exitDone, "", true},
		{"withheld", "d1,c1,2026-01-01T00:00:00Z,1,A,1,0.5,0.5,C2,R2\n", []string{"--gate", "snips >= 0"}, exitFailed, "snips >= 0: its verdict is withheld", true},
		{"no such figure", "d1,c1,2026-01-01T00:00:00Z,1,A,1,0.5,0.5,C2,R2\n", []string{"--gate", "snip >= 0"}, exitUsage, "snip", false},
		{"a bad row", "d1,c1,2026-01-01T00:00:00Z,1,A,1,0,0.5,C2,R2\n", nil, exitUsage, "line 2", false},
		{"a flag that is neither", "d1,c1,2026-01-01T00:00:00Z,1,A,1,1.5,0.5,C2,R2\n", nil, exitUsage, "propensity", false},
		{"nothing", "", nil, exitUsage, "no rows", false},
	} {
		write(c.rows)
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
		got := inProcess(t.Context(), "", append([]string{"evaluate", "report", "--log", log, "--out", out}, c.args...)...)
		_, err := os.Stat(filepath.Join(out, reportPage))
		if got.code != c.code || !strings.Contains(got.stderr, c.says) || (err == nil) != c.written {
			t.Errorf("%s: code %d, %v, said %q; expected code %d and %q", c.name, got.code, err, got.stderr, c.code, c.says)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
			t.Errorf("%s: left behind: %v", c.name, left)
		}
	}
	var schema map[string]any
	if err := json.Unmarshal([]byte(mustRun(t, "evaluate", "report", "--schema")), &schema); err != nil || schema["title"] != evaluation.ReportSchema {
		t.Errorf("schema: %v, %v", schema["title"], err)
	}
}

// browserEnv names a browser where none of the usual names is one.
const browserEnv = "FUNDMATCH_CHROMIUM"

// browser finds headless Chromium, or ends the test: in CI it has to be there.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv(browserEnv), "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	missing := "the page was not opened: it needs Chromium; install Debian's package chromium, or name one in " + browserEnv
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// browse opens a page without a screen, and returns what it prints.
func browse(t *testing.T, program, page string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args = append([]string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + t.TempDir(),
	}, append(args, "file://"+page)...)
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return out
}

// widths are those of a desk and of a telephone, in CSS pixels.
var widths = []int{1280, 390} //nolint:gochecknoglobals // a table of the test

// measuring is a page of the test, not of the report: it holds the report at both widths, and writes what stands out of
// its place into itself. A table may be scrolled in a box of its own on a telephone, and nothing else, nor anywhere else.
const measuring = `<!DOCTYPE html><meta charset="utf-8"><body>%s<pre id="found"></pre><script>
addEventListener("load", () => {
  const found = [];
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, width = frame.clientWidth, at = width + ": ";
    if (page.documentElement.scrollWidth > width) found.push(at + "the page is " + page.documentElement.scrollWidth + " wide");
    const all = page.querySelectorAll("body *");
    if (all.length < 200 || page.querySelectorAll("svg").length < 5) found.push(at + "only " + all.length + " elements were looked at");
    for (const e of all) {
      const box = e.getBoundingClientRect(), name = e.tagName + " " + e.textContent.trim().slice(0, 40);
      const svg = e.closest("svg"), scrolled = e.closest(".wide");
      if (svg && e !== svg && box.width > 0) {
        const in_ = svg.getBoundingClientRect();
        if (box.left < in_.left - 1 || box.right > in_.right + 1 || box.top < in_.top - 1 || box.bottom > in_.bottom + 1) found.push(at + "cut off in its drawing: " + name);
      }
      if (e === scrolled && width >= 1000 && e.scrollWidth > e.clientWidth + 1) found.push(at + "a table that is not seen whole: " + name);
      if (scrolled && e !== scrolled) continue;
      if (box.right > width + 1 || box.left < -1) found.push(at + "out of the page: " + name);
      if (!svg && e.clientWidth > 0 && e !== scrolled && e.scrollWidth > e.clientWidth + 1) found.push(at + "wider than its box: " + name);
    }
  }
  document.getElementById("found").textContent = "MEASURED\n" + found.join("\n");
});
</script>`

// showWhole opens a page in Chromium at both widths: nothing may be cut off, and something must be seen.
func showWhole(t *testing.T, page string) {
	t.Helper()
	program := browser(t)
	dir := t.TempDir()
	var frames strings.Builder
	for _, width := range widths {
		fmt.Fprintf(&frames, `<iframe style="border:0;width:%dpx;height:800px" srcdoc="%s"></iframe>`, width, html.EscapeString(page))
	}
	wrapper := filepath.Join(dir, "measuring.html")
	if err := os.WriteFile(wrapper, fmt.Appendf(nil, measuring, frames.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	dom := browse(t, program, wrapper, "--window-size=1800,1000", "--dump-dom")
	_, found, measured := strings.Cut(string(dom), `<pre id="found">MEASURED`)
	found, _, _ = strings.Cut(found, "</pre>")
	if found = strings.TrimSpace(html.UnescapeString(found)); !measured || found != "" {
		t.Errorf("measured %v, found:\n%s", measured, found)
	}
	name := filepath.Join(dir, reportPage)
	if err := os.WriteFile(name, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, width := range widths {
		picture := filepath.Join(dir, fmt.Sprintf("report-%d.png", width))
		browse(t, program, name, fmt.Sprintf("--window-size=%d,1400", width), "--screenshot="+picture)
		looksLikeAPage(t, picture, width)
	}
}

// looksLikeAPage sees to it that a picture has the page's width, and that something is drawn on it.
func looksLikeAPage(t *testing.T, name string, width int) {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader([]byte(written(t, name))))
	if err != nil {
		t.Fatal(err)
	}
	if got := picture.Bounds().Dx(); got != width {
		t.Errorf("a picture %d wide, expected %d", got, width)
	}
	colours := map[[3]uint32]int{}
	for y := 0; y < picture.Bounds().Dy(); y += 3 {
		for x := 0; x < width; x += 3 {
			r, g, b, _ := picture.At(x, y).RGBA()
			colours[[3]uint32{r, g, b}]++
		}
	}
	if len(colours) < 20 {
		t.Errorf("%d px: a picture of %d colours shows no page", width, len(colours))
	}
}
