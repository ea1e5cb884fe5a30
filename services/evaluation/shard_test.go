package evaluation_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/services/evaluation"
)

// shards are the partial results of all shards of a log, in the order of their indices, as files hold them.
func shards(t *testing.T, m *memory, of int, c *evaluation.Config) []string {
	t.Helper()
	files := make([]string, of)
	for i := range files {
		files[i] = encoded(t, m, evaluation.Shard{Index: i, Of: of}, c)
	}
	return files
}

// merged puts partial results together in the order given.
func merged(files ...string) (*evaluation.Outcome, error) {
	partials := []*evaluation.Partial{}
	for _, f := range files {
		p, err := evaluation.ReadPartial([]byte(f), "v1")
		if err != nil {
			return nil, err
		}
		partials = append(partials, p)
	}
	return evaluation.Merge(partials, func([]byte) ([]evaluation.Part, error) { return parts(), nil })
}

// One run and any number of shards, more than there are files too, merged in any order: the same to the last bit.
func TestShardsAreOneRun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := randomLog(rapid.Uint64().Draw(rt, "log"), rapid.IntRange(0, 9).Draw(rt, "files"))
		want := told(run(t, m, configOf(2)))
		of := rapid.IntRange(1, 12).Draw(rt, "shards")
		files := rapid.Permutation(shards(t, m, of, configOf(2))).Draw(rt, "order")
		got, err := merged(files...)
		if err != nil {
			rt.Fatal(err)
		}
		if told(got) != want {
			rt.Fatalf("%d shards: %s\none run: %s", of, told(got), want)
		}
		for i, f := range got.Files {
			if f.Name != m.Files()[i].Name {
				rt.Fatalf("file %d is %s", i, f.Name)
			}
		}
	})
}

// counted says how many states were read and not merged yet.
type counted struct {
	sum
	held, most *int
}

func (c *counted) UnmarshalJSON(data []byte) error {
	*c.held++
	*c.most = max(*c.most, *c.held)
	return c.sum.UnmarshalJSON(data)
}

func (c *counted) Merge(later evaluation.Measure) error {
	*c.held--
	return c.sum.Merge(&as[*counted](later).sum)
}

// However many files there are, the states of two are never in memory: a model's is far larger there than as text.
func TestMergeReadsStatesOneByOne(t *testing.T) {
	partials := []*evaluation.Partial{}
	for _, f := range shards(t, randomLog(4, 9), 3, configOf(1)) {
		p, err := evaluation.ReadPartial([]byte(f), "v1")
		if err != nil {
			t.Fatal(err)
		}
		partials = append(partials, p)
	}
	var held, most int
	_, err := evaluation.Merge(partials, func([]byte) ([]evaluation.Part, error) {
		counting := evaluation.Part{Name: "sum", New: func() evaluation.Measure { return &counted{sum{fail: math.Inf(1)}, &held, &most} }}
		return []evaluation.Part{counting, parts()[1]}, nil
	})
	if err != nil || most != 1 || held != 0 {
		t.Errorf("%d states at once, %d never merged, %v", most, held, err)
	}
}

// File k belongs to shard k mod n: every file to one, and whoever starts the jobs can tell which.
func TestFilesOfShards(t *testing.T) {
	m := randomLog(1, 8)
	for i := range 3 {
		p, err := evaluation.RunShard(t.Context(), m, evaluation.Shard{Index: i, Of: 3}, configOf(1))
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, f := range p.Files {
			names = append(names, f.Name)
		}
		want := []string{}
		for k := i; k < 8; k += 3 {
			want = append(want, fmt.Sprintf("log-%03d.csv", k))
		}
		if fmt.Sprint(names) != fmt.Sprint(want) {
			t.Errorf("shard %d/3 has %v, expected %v", i, names, want)
		}
	}
}

func TestParseShard(t *testing.T) {
	for text, want := range map[string]string{
		"0/1": "{0 1}", "0/7": "{0 7}", "6/7": "{6 7}", "9999/10000": "{9999 10000}",
		"7/7": "", "-1/7": "", "1": "", "/": "", "a/7": "", "0/0": "", "0/10001": "", "1/2/3": "", "0/7\n": "", "+0/7": "", "": "",
	} {
		s, err := evaluation.ParseShard(text)
		if got := fmt.Sprint(s); err == nil && got != want || (err != nil) != (want == "") {
			t.Errorf("%q reads as %v, %v, expected %q", text, s, err, want)
		}
	}
}

// What does not belong together is not merged, and the message says what is wrong.
func TestWhatDoesNotMerge(t *testing.T) {
	m := randomLog(4, 7)
	good := shards(t, m, 3, configOf(1))
	options := configOf(1)
	options.Settings = []byte(`{"a":2}`)
	version := configOf(1)
	version.Version = "v2"
	more := randomLog(4, 8)
	for name, c := range map[string]struct {
		files []string
		said  string
	}{
		"none":            {nil, "there is none"},
		"one missing":     {good[:2], "shard 2/3 is not there"},
		"one twice":       {[]string{good[0], good[1], good[1]}, "shard 1/3 is there twice"},
		"other options":   {[]string{good[0], good[1], shards(t, m, 3, options)[2]}, "shard 2/3 was run with other options than shard 0/3"},
		"another version": {[]string{good[0], good[1], shards(t, m, 3, version)[2]}, `version "v2"`},
		"another number":  {[]string{good[0], shards(t, m, 2, configOf(1))[1]}, "a shard of 3 and one of 2"},
		"another log":     {[]string{good[0], good[1], shards(t, more, 3, configOf(1))[2]}, "shard 2/3 saw 8 files"},
	} {
		_, err := merged(c.files...)
		if !errors.Is(err, evaluation.ErrPartial) || !strings.Contains(fmt.Sprint(err), c.said) {
			t.Errorf("%s: %v, expected an error that says %q", name, err, c.said)
		}
	}
	if _, err := merged(good...); err != nil {
		t.Errorf("what belongs together: %v", err)
	}
}

// as is what a document is known to have.
func as[T any](v any) T {
	t, is := v.(T)
	if !is {
		panic(fmt.Sprintf("%T, expected %T", v, t))
	}
	return t
}

// body changes the body of a sealed document and seals it again, as somebody would who means harm.
func body(t *testing.T, file string, change func(m map[string]any)) string {
	t.Helper()
	var outer struct {
		Schema string         `json:"schema"`
		Body   map[string]any `json:"body"`
	}
	d := json.NewDecoder(strings.NewReader(file))
	d.UseNumber()
	if err := d.Decode(&outer); err != nil {
		t.Fatal(err)
	}
	change(outer.Body)
	data, err := evaluation.Seal(outer.Schema, outer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A partial file comes from outside: whatever is in it, what no run could have written is refused.
func TestHostilePartials(t *testing.T) {
	m := randomLog(4, 7)
	m.files[1] = [][]float64{{1, 2}, {3}}
	good := shards(t, m, 3, configOf(1))
	file := func(m map[string]any, at int) map[string]any { return as[map[string]any](as[[]any](m["files"])[at]) }
	for name, c := range map[string]struct {
		change func(m map[string]any)
		said   string
	}{
		"unknown member":    {func(m map[string]any) { m["x"] = 1 }, "unknown field"},
		"shard beyond":      {func(m map[string]any) { m["shard"] = map[string]any{"index": 3, "of": 3} }, "shard 3 of 3"},
		"shard below":       {func(m map[string]any) { m["shard"] = map[string]any{"index": -1, "of": 3} }, "shard -1 of 3"},
		"of nothing":        {func(m map[string]any) { m["shard"] = map[string]any{"index": 0, "of": 0} }, "shard 0 of 0"},
		"a file too many":   {func(m map[string]any) { m["files"] = append(as[[]any](m["files"]), file(m, 0)) }, "3 files in shard 1/3 of a log of 7"},
		"a file too few":    {func(m map[string]any) { m["files"] = as[[]any](m["files"])[:1] }, "1 files in shard 1/3 of a log of 7"},
		"no name":           {func(m map[string]any) { file(m, 0)["name"] = "" }, "expected 1 to 4096"},
		"a long name":       {func(m map[string]any) { file(m, 0)["name"] = strings.Repeat("a", 5000) }, "expected 1 to 4096"},
		"names in disorder": {func(m map[string]any) { file(m, 0)["name"] = "z" }, "expected names in their order"},
		"another name":      {func(m map[string]any) { file(m, 0)["name"] = "log-001b.csv" }, "not those that the shards saw"},
		"a file of another": {func(m map[string]any) { file(m, 0)["name"] = "log-000.csv" }, "there twice"},
		"a short hash":      {func(m map[string]any) { file(m, 0)["sha256"] = "ab" }, "expected 64 hexadecimal digits"},
		"rows below 0":      {func(m map[string]any) { as[map[string]any](file(m, 0)["tally"])["rows"] = -1 }, "counts that agree"},
		"rows beyond": {func(m map[string]any) {
			as[map[string]any](file(m, 0)["tally"])["rows"] = json.Number("9223372036854775807")
		}, "counts that agree"},
		"more decisions": {func(m map[string]any) { as[map[string]any](file(m, 0)["tally"])["decisions"] = 4 }, "counts that agree"},
		"bad rows and none listed": {func(m map[string]any) {
			as[map[string]any](file(m, 0)["tally"])["skipped"] = 4
		}, "counts that agree"},
		"no state":         {func(m map[string]any) { delete(file(m, 0), "state") }, "a state that should not be there"},
		"half a state":     {func(m map[string]any) { delete(as[map[string]any](file(m, 0)["state"]), "again") }, "the state of again is not there"},
		"a state too many": {func(m map[string]any) { as[map[string]any](file(m, 0)["state"])["x"] = 1 }, "more parts than were measured"},
		"a state of text":  {func(m map[string]any) { as[map[string]any](file(m, 0)["state"])["sum"] = "x" }, "the state of sum"},
		"a list of states": {func(m map[string]any) { file(m, 0)["state"] = []any{} }, "file "},
		"many files":       {func(m map[string]any) { as[map[string]any](m["log"])["files"] = json.Number("9223372036854775807") }, "2 files in shard 1/3"},
	} {
		_, err := merged(good[0], body(t, good[1], c.change), good[2])
		if !errors.Is(err, evaluation.ErrPartial) || !strings.Contains(fmt.Sprint(err), c.said) {
			t.Errorf("%s: %v, expected an error that says %q", name, err, c.said)
		}
	}
	for name, bad := range map[string]string{
		"nothing": "", "no JSON": "part", "null": "null", "a list": "[]", "another document": `{"schema":"x","sha256":"","body":{}}`,
		"cut short": good[1][:len(good[1])-20], "changed": strings.Replace(good[1], `"rows":`, `"rows":1`, 1), "two": good[1] + good[1],
	} {
		if _, err := merged(good[0], bad, good[2]); !errors.Is(err, evaluation.ErrPartial) {
			t.Errorf("%s: %v, expected that it is refused", name, err)
		}
	}
	if _, err := merged(good[0], body(t, good[1], func(map[string]any) {}), good[2]); err != nil {
		t.Errorf("sealed again as it was: %v", err)
	}
}

func FuzzReadPartial(f *testing.F) {
	m := randomLog(4, 3)
	p, err := evaluation.RunShard(f.Context(), m, evaluation.Shard{Index: 0, Of: 2}, configOf(1))
	if err != nil {
		f.Fatal(err)
	}
	data, err := p.Encode()
	if err != nil {
		f.Fatal(err)
	}
	var sealed struct {
		Body json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(data, &sealed); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(sealed.Body))
	f.Add([]byte(`{"version":"v1","settings":{},"shard":{"index":0,"of":1},"log":{"files":0,"names_sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"files":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file := []byte(fmt.Sprintf(`{"schema":%q,"sha256":"","body":%s}`, evaluation.PartialSchema, text))
		if json.Valid(text) {
			var err error
			if file, err = evaluation.Seal(evaluation.PartialSchema, json.RawMessage(text)); err != nil {
				t.Fatal(err)
			}
		}
		p, err := evaluation.ReadPartial(file, "v1")
		if err != nil {
			if !errors.Is(err, evaluation.ErrPartial) {
				t.Fatalf("%v is not an error about a partial result", err)
			}
			return
		}
		_, err = evaluation.Merge([]*evaluation.Partial{p}, func([]byte) ([]evaluation.Part, error) { return parts(), nil })
		if err != nil && !errors.Is(err, evaluation.ErrPartial) {
			t.Fatalf("%v is not an error about a partial result", err)
		}
	})
}

// A checkpoint of anything but this very run is refused, and says why.
func TestForeignCheckpoints(t *testing.T) {
	m := randomLog(6, 5)
	m.files[1] = [][]float64{{1}, {2}, {3}}
	var saves []string
	keep := func(c *evaluation.Config, found string) *evaluation.Config {
		c.Checkpoint = &evaluation.Checkpoint{Now: (&clock{time.Unix(1, 0)}).Now, Save: func(data []byte) error {
			saves = append(saves, string(data))
			return nil
		}}
		if found != "" {
			c.Checkpoint.Found = []byte(found)
		}
		return c
	}
	want := told(run(t, m, keep(configOf(1), "")))
	saved := saves[len(saves)/2]
	if got := run(t, m, keep(configOf(1), saved)); told(got) != want {
		t.Fatalf("%s, expected %s", told(got), want)
	}
	other := configOf(1)
	other.Settings = []byte(`{"a":2}`)
	version := configOf(1)
	version.Version = "v2"
	changed := &renamed{memory: m, name: m.Files()[1].Name, identity: "another"}
	moved := &renamed{memory: m, name: "log-001x.csv", identity: m.Files()[1].Identity}
	for name, c := range map[string]struct {
		log    evaluation.Source
		config *evaluation.Config
		found  string
		said   string
	}{
		"other options":   {m, other, saved, "other options"},
		"another version": {m, version, saved, `by version "v1" of the program, this is "v2"`},
		"a changed file":  {changed, configOf(1), saved, "log-001.csv was changed since"},
		"another file":    {moved, configOf(1), saved, `"log-001.csv" where there is "log-001x.csv" now`},
		"more files":      {randomLog(6, 6), configOf(1), saved, ""},
		"cut short":       {m, configOf(1), saved[:len(saved)-9], ""},
		"changed":         {m, configOf(1), strings.Replace(saved, `"rows":`, `"rows":1`, 1), "cut short or changed"},
		"another thing":   {m, configOf(1), "{}", "schema"},
		"no state":        {m, configOf(1), body(t, saved, func(m map[string]any) { delete(m, "whole") }), ""},
		"a wild position": {m, configOf(1), body(t, saved, func(m map[string]any) {
			as[map[string]any](as[map[string]any](m["running"])["position"])["block"] = 999
		}), "not one that a run could be at"},
		"stdin": {&renamed{memory: m, name: "-"}, configOf(1), "", "- cannot be read again"},
	} {
		_, err := evaluation.Run(t.Context(), c.log, keep(c.config, c.found))
		if !errors.Is(err, evaluation.ErrCheckpoint) || !strings.Contains(fmt.Sprint(err), c.said) {
			t.Errorf("%s: %v, expected an error that says %q", name, err, c.said)
		}
	}
	_, err := evaluation.RunShard(t.Context(), m, evaluation.Shard{Of: 1}, keep(configOf(1), saved))
	if !errors.Is(err, evaluation.ErrCheckpoint) || !strings.Contains(err.Error(), "another shard") {
		t.Errorf("a shard from a checkpoint of the whole: %v", err)
	}
}

// renamed is a log whose second file is another.
type renamed struct {
	*memory
	name, identity string
}

func (r *renamed) Files() []evaluation.File {
	files := r.memory.Files()
	files[1].Name, files[1].Identity = r.name, r.identity
	return files
}

// Checkpoints cost time: no more are taken than was asked for.
func TestCheckpointsKeepTheirDistance(t *testing.T) {
	m := &memory{files: [][][]float64{make([][]float64, 100)}}
	for i := range m.files[0] {
		m.files[0][i] = []float64{1}
	}
	c := configOf(1)
	now := &clock{time.Unix(1, 0)}
	m.after = func(int) { now.now = now.now.Add(time.Second) }
	saves := 0
	c.Checkpoint = &evaluation.Checkpoint{Every: 10 * time.Second, Now: now.Now, Save: func([]byte) error {
		saves++
		return nil
	}}
	if run(t, m, c); saves != 9 { // at 11, 21, ... 91 s; the first second is the beginning
		t.Errorf("%d checkpoints in 100 s, expected 9", saves)
	}
}
