package score_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// packed is a model file about the default model's settings, with its edits.
func packed(tb testing.TB, edit func(*modelfile.File)) []byte {
	tb.Helper()
	m, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		tb.Fatal(err)
	}
	f := modelfile.File{
		Manifest: modelfile.Manifest{
			Name: m.Name, Version: m.Version, Code: "test", Features: []modelfile.Term{{Name: "GOAL_FIT", Definition: "1"}},
			Training:   modelfile.Window{From: "2024-01-01", Through: "2026-06-30", Rows: 10, DataHash: strings.Repeat("ab", 32)},
			Validation: []modelfile.Figure{{Name: "ndcg@10", Value: 0.41}},
		},
		Sections: map[string][]byte{modelfile.SectionModel: score.DefaultModel()},
	}
	edit(&f)
	data, err := modelfile.Encode(f)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func untouched(*modelfile.File) {}

// A model file says what its YAML says, and what it was trained from.
func TestAModelFileIsReadAsItsYAML(t *testing.T) {
	t.Parallel()
	plain := model(t)
	for name, parse := range map[string]func([]byte) (*score.Model, error){"new": score.ParseModel, "recorded": score.ParseRecorded} {
		m, err := parse(packed(t, untouched))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if m.Manifest == nil || m.Manifest.Training.Through != "2026-06-30" || m.Manifest.Validation[0].Value != 0.41 {
			t.Errorf("%s: manifest %+v", name, m.Manifest)
		}
		m.Manifest = nil
		if diff := cmp.Diff(plain, m); diff != "" {
			t.Errorf("%s: other settings than the YAML alone: %s", name, diff)
		}
	}
	if plain.Manifest != nil {
		t.Error("plain YAML has a manifest")
	}
}

func TestAModelFileThatIsRefused(t *testing.T) {
	t.Parallel()
	good := packed(t, untouched)
	for name, c := range map[string]struct {
		data  []byte
		cause error
		says  string
	}{
		"truncated":     {good[:len(good)-1], modelfile.ErrTruncated, "truncated"},
		"altered":       {bytes.Replace(good, []byte("weight: 0.8"), []byte("weight: 0.9"), 1), modelfile.ErrAltered, "altered"},
		"newer":         {[]byte("fundmatch.model/v3\nwhatever"), modelfile.ErrNewerSchema, "newer"},
		"another magic": {append([]byte("Fundmatch"), good[len("fundmatch"):]...), modelfile.ErrAltered, "altered"},
		"commission in the manifest": {
			packed(t, func(f *modelfile.File) { f.Manifest.Features[0].Name = "trail_Commission_12m" }), score.ErrForbiddenInput, `manifest: features[0]: forbidden input (F04): feature "trail_Commission_12m"`,
		},
		"commission in the YAML": {
			packed(t, func(f *modelfile.File) {
				f.Sections[modelfile.SectionModel] = bytes.Replace(score.DefaultModel(), []byte("feature: QUALITY"), []byte("feature: REBATE"), 1)
			}), score.ErrForbiddenInput, "section model.yaml: model refused: weights: forbidden input",
		},
		"another name":    {packed(t, func(f *modelfile.File) { f.Manifest.Name = "other" }), score.ErrModel, `manifest: "other" version`},
		"another version": {packed(t, func(f *modelfile.File) { f.Manifest.Version++ }), score.ErrModel, "as in section model.yaml"},
		"no YAML":         {packed(t, func(f *modelfile.File) { f.Sections[modelfile.SectionModel] = []byte("{") }), score.ErrModel, "section model.yaml"},
		"a file within": {
			packed(t, func(f *modelfile.File) { f.Sections[modelfile.SectionModel] = packed(t, untouched) }), score.ErrModel, "section model.yaml",
		},
		"an unreadable section": {
			packed(t, func(f *modelfile.File) { f.Sections[modelfile.SectionAffinity] = []byte("nobody reads this") }), score.ErrModel, "section affinity.bin",
		},
	} {
		m, err := score.ParseModel(c.data)
		if m != nil && err != nil {
			t.Errorf("%s: a model beside the error", name)
		}
		if !errors.Is(err, score.ErrModel) || !errors.Is(err, c.cause) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v and %q", name, err, c.cause, c.says)
		}
	}
}

// The parser would take minutes over these; they are refused before it sees them.
func TestTextsThatTakeLongAreNotParsed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"too long":       {strings.Repeat("#\n", modelfile.MaxModelBytes/2) + "#", "65537 bytes of YAML, expected at most 65536"},
		"a long line":    {"name: x\n# " + strings.Repeat("x", 1100), "line 2: 1102 bytes, expected at most 1024"},
		"open brackets":  {strings.Repeat("[\n", 1000), "line 9: 9 open brackets"},
		"nested at once": {strings.Repeat("- ", 400), "line 1: 0 open brackets, 65 marks, expected at most 8 and 64"},
	} {
		for _, parse := range []func([]byte) (*score.Model, error){score.ParseModel, score.ParseRecorded} {
			if _, err := parse([]byte(c.text)); !errors.Is(err, score.ErrModel) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", name, err, c.says)
			}
		}
	}
	closed := "# " + strings.Repeat("[]", 100) + "\n"
	if _, err := score.ParseModel(append([]byte(closed), score.DefaultModel()...)); err != nil {
		t.Errorf("brackets that close: %v", err)
	}
}

// What pays the seller is no input, whoever spells it how.
func TestCheckInput(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"commission", "Rebate_ratio", "TRAILING_FEE", "sales quota", "基金尾随佣金", "返点", "考核指标", "kickback", "staff_incentive"} {
		if err := score.CheckInput(name); !errors.Is(err, score.ErrForbiddenInput) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want ErrForbiddenInput", name, err)
		}
	}
	for _, name := range []string{"AFFINITY", "COST", "log_amount", "age"} {
		if err := score.CheckInput(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParseModelFile: no bytes make the reader panic, and what is refused says so.
func FuzzParseModelFile(f *testing.F) {
	good := packed(f, untouched)
	f.Add(good, 20, byte(1))
	f.Add([]byte("fundmatch.model/v2\n"), 0, byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		if at >= 0 && at < len(data) {
			data = bytes.Clone(data)
			data[at] ^= flip
		}
		for _, parse := range []func([]byte) (*score.Model, error){score.ParseModel, score.ParseRecorded} {
			if m, err := parse(data); (m == nil) == (err == nil) || err != nil && !errors.Is(err, score.ErrModel) {
				t.Fatalf("%v, %v", m, err)
			}
		}
	})
}
