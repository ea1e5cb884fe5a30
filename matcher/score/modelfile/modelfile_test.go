package modelfile_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

func number(x float64) *float64 { return &x }

// sample is a model file with everything that there is.
func sample() modelfile.File {
	return modelfile.File{
		Manifest: modelfile.Manifest{
			Name: "某银行 <2026>", Version: 3, Code: "v1.2.0",
			Features: []modelfile.Term{{Name: "AFFINITY", Definition: "1"}, {Name: "COST", Definition: "2026-11"}},
			Training: modelfile.Window{From: "2024-01-01", Through: "2026-06-30", Rows: 1_000_000, DataHash: strings.Repeat("0a", 32)},
			Validation: []modelfile.Figure{
				{Name: "ndcg@10", Value: 0.4125, Low: number(0.40), High: number(0.43)},
				{Name: "slope", Value: 1e-7},
			},
		},
		Sections: map[string][]byte{
			modelfile.SectionModel: []byte("name: x\n"), modelfile.SectionAffinity: {0, 1, 2, '\n', 255}, modelfile.SectionConversion: []byte("{}"),
		},
	}
}

func encode(tb testing.TB, f modelfile.File) []byte {
	tb.Helper()
	data, err := modelfile.Encode(f)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// sealed ends bytes with the hash of themselves, as somebody would who wrote a file by hand.
func sealed(body string) []byte {
	sum := sha256.Sum256([]byte(body))
	return []byte(body + "sha256:" + hex.EncodeToString(sum[:]) + "\n")
}

// resealed replaces text in a file and seals it again: what is wrong is then not the hash.
func resealed(t *testing.T, data []byte, before, after string) []byte {
	t.Helper()
	body := string(data[:len(data)-72])
	if !strings.Contains(body, before) {
		t.Fatalf("the file has no %q", before)
	}
	return sealed(strings.Replace(body, before, after, 1))
}

func TestAFileIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	want := sample()
	data := encode(t, want)
	got, err := modelfile.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Sections, got.Sections); diff != "" {
		t.Error(diff)
	}
	for i, name := range []string{modelfile.SectionModel, modelfile.SectionAffinity, modelfile.SectionConversion} {
		sum := sha256.Sum256(want.Sections[name])
		s := modelfile.Section{Name: name, Bytes: int64(len(want.Sections[name])), SHA256: hex.EncodeToString(sum[:])}
		if got.Manifest.Sections[i] != s {
			t.Errorf("section %d: %+v, want %+v", i, got.Manifest.Sections[i], s)
		}
	}
	got.Manifest.Sections = nil
	if diff := cmp.Diff(want.Manifest, got.Manifest); diff != "" {
		t.Error(diff)
	}
}

// The layout is what the package's comment says, so that head -2 shows what a file is.
func TestTheLayout(t *testing.T) {
	t.Parallel()
	data := encode(t, sample())
	lines := strings.SplitN(string(data), "\n", 3)
	if lines[0] != "fundmatch.model/v2" || !strings.HasPrefix(lines[1], `{"name":"某银行 <2026>","version":3,"code":"v1.2.0","features":[{"name":"AFFINITY",`) {
		t.Errorf("the first two lines: %.200q", lines[:2])
	}
	body := lines[2][:len(lines[2])-72]
	if body != "name: x\n\x00\x01\x02\n\xff{}" {
		t.Errorf("the sections: %q", body)
	}
	if !bytes.Equal(data, sealed(string(data[:len(data)-72]))) {
		t.Error("the last line is not the hash of what stands before it")
	}
	if !modelfile.Is(data) || modelfile.Is([]byte("schema: fundmatch.model/v1\nname: spine\n")) || modelfile.Is(nil) {
		t.Error("a model file is not told from YAML")
	}
}

func TestTheSameContentHasTheSameBytes(t *testing.T) {
	t.Parallel()
	want := encode(t, sample())
	for range 20 { // of map iterations
		other := sample()
		other.Manifest.Sections = []modelfile.Section{{Name: "made anew"}}
		if got := encode(t, other); !bytes.Equal(got, want) {
			t.Fatal("other bytes for the same content")
		}
	}
	bare := modelfile.File{Manifest: sample().Manifest, Sections: map[string][]byte{modelfile.SectionModel: []byte("m")}}
	bare.Manifest.Validation, bare.Manifest.Training = nil, modelfile.Window{}
	absent := encode(t, bare)
	bare.Manifest.Validation = []modelfile.Figure{}
	if !bytes.Equal(absent, encode(t, bare)) {
		t.Error("an absent list and an empty one have other bytes")
	}
}

// What is cut off anywhere is truncated, what is changed anywhere is refused, and neither is
// taken for something else.
func TestEveryTruncationIsToldAsOne(t *testing.T) {
	t.Parallel()
	data := encode(t, sample())
	for n := range data {
		if _, err := modelfile.Decode(data[:n]); !errors.Is(err, modelfile.ErrTruncated) || errors.Is(err, modelfile.ErrAltered) {
			t.Fatalf("the first %d of %d bytes: %v, want ErrTruncated", n, len(data), err)
		}
	}
}

func TestEveryChangedByteIsSeen(t *testing.T) {
	t.Parallel()
	data := encode(t, sample())
	for i := range data {
		for _, flip := range []byte{1, 0x20, 0x80} {
			other := bytes.Clone(data)
			other[i] ^= flip
			_, err := modelfile.Decode(other)
			if !errors.Is(err, modelfile.ErrAltered) || errors.Is(err, modelfile.ErrTruncated) {
				t.Fatalf("byte %d from %q to %q: %v, want ErrAltered", i, data[i], other[i], err)
			}
			if !modelfile.Is(other) {
				t.Fatalf("byte %d from %q to %q: no longer meant to be a model file", i, data[i], other[i])
			}
		}
	}
	if _, err := modelfile.Decode(append(bytes.Clone(data), '\n')); !errors.Is(err, modelfile.ErrAltered) {
		t.Errorf("a byte more: %v, want ErrAltered", err)
	}
	if _, err := modelfile.Decode(append(bytes.Clone(data), data...)); !errors.Is(err, modelfile.ErrModelFile) {
		t.Errorf("the file twice: %v", err)
	}
}

func TestANewerSchemaIsToldAsOne(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"fundmatch.model/v3\n", "fundmatch.model/v10\n{}\nwhatever a newer program writes", string(sealed("fundmatch.model/v3\n{}\n"))} {
		_, err := modelfile.Decode([]byte(text))
		if !errors.Is(err, modelfile.ErrNewerSchema) || !errors.Is(err, modelfile.ErrModelFile) || !strings.Contains(err.Error(), `expected "fundmatch.model/v2"`) {
			t.Errorf("%.40q: %v, want ErrNewerSchema", text, err)
		}
	}
	for _, text := range []string{"fundmatch.model/v1\n", "fundmatch.model/v02\n", "fundmatch.model/v\n", "fundmatch.model/vX\n", "fundmatch.model/v99999999999\n", "fundmatch.model/v23", "schema: x\n"} {
		_, err := modelfile.Decode([]byte(text))
		if !errors.Is(err, modelfile.ErrModelFile) || errors.Is(err, modelfile.ErrNewerSchema) || errors.Is(err, modelfile.ErrTruncated) {
			t.Errorf("%q: %v, want ErrModelFile alone", text, err)
		}
	}
}

// Whoever seals a file by hand is refused by what it says.
func TestAForgedFileIsRefused(t *testing.T) {
	t.Parallel()
	data := encode(t, sample())
	head := func(manifest string) []byte { return sealed(modelfile.Magic + "\n" + manifest) }
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"no manifest":            {head(""), "line 2"},
		"no JSON":                {head("x\n"), "manifest: invalid character"},
		"null":                   {head("null\n"), `name: "", expected`},
		"an endless manifest":    {head(strings.Repeat(" ", modelfile.MaxManifestBytes+1) + "\n"), "no manifest of at most"},
		"an unknown field":       {resealed(t, data, `"name":`, `"owner":"x","name":`), `unknown field "owner"`},
		"a field twice":          {resealed(t, data, `"name":`, `"name":"y","name":`), "canonical form"},
		"a field in capitals":    {resealed(t, data, `"name":`, `"Name":`), "canonical form"},
		"a blank":                {resealed(t, data, `"version":3`, `"version": 3`), "canonical form"},
		"another spelling":       {resealed(t, data, `"version":3`, `"version":3.0`), "manifest"},
		"more behind":            {resealed(t, data, "}]}\n", "}]}{}\n"), "more behind it"},
		"null for a list":        {resealed(t, data, `"validation":[`, `"validation":null,"x":[`), "unknown field"},
		"an unknown section":     {resealed(t, data, `"affinity.bin"`, `"affinity.new"`), `sections[1].name: "affinity.new", expected one of`},
		"a section twice":        {resealed(t, data, `"affinity.bin"`, `"model.yaml"`), "each once"},
		"sections out of order":  {resealed(t, resealed(t, resealed(t, data, `"affinity.bin"`, `"x"`), `"conversion.json"`, `"affinity.bin"`), `"x"`, `"conversion.json"`), "in the order"},
		"no model":               {resealed(t, data, `"model.yaml"`, `"conversion.json"`), "model.yaml is missing"},
		"an empty section":       {resealed(t, data, `"bytes":5`, `"bytes":0`), "sections[1].bytes"},
		"a negative length":      {resealed(t, data, `"bytes":5`, `"bytes":-5`), "sections[1].bytes"},
		"a length beyond":        {resealed(t, data, `"bytes":5`, `"bytes":99999999999`), "sections[1].bytes"},
		"a longer last section":  {resealed(t, data, `"bytes":2`, `"bytes":3`), "section conversion.json: 2 bytes left, expected 3"},
		"a shorter last section": {resealed(t, data, `"bytes":2`, `"bytes":1`), "section conversion.json: hash"},
		"bytes behind":           {resealed(t, data, "{}", "{}x"), "1 bytes behind the last section"},
		"another section's hash": {resealed(t, data, "name: x", "name: y"), "section model.yaml: hash"},
		"a hash in capitals":     {resealed(t, data, strings.Repeat("0a", 32), strings.Repeat("0A", 32)), "training.dataHash"},
		"a number too large":     {resealed(t, data, `"value":0.4125`, `"value":1e999`), "manifest"},
	} {
		_, err := modelfile.Decode(c.data)
		if !errors.Is(err, modelfile.ErrModelFile) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// What Decode would refuse, Encode refuses, by place, value and what was expected.
func TestWhatIsNotWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*modelfile.File)
		want   string
	}{
		"no name":          {func(f *modelfile.File) { f.Manifest.Name = "" }, `manifest: name: "", expected 1 to 256 bytes`},
		"a long name":      {func(f *modelfile.File) { f.Manifest.Name = strings.Repeat("x", 257) }, "manifest: name"},
		"a broken name":    {func(f *modelfile.File) { f.Manifest.Name = "\xff" }, "manifest: name"},
		"a name of lines":  {func(f *modelfile.File) { f.Manifest.Name = "a\nb" }, "without control characters"},
		"no version":       {func(f *modelfile.File) { f.Manifest.Version = 0 }, `version: "0"`},
		"a huge version":   {func(f *modelfile.File) { f.Manifest.Version = math.MaxInt32 + 1 }, "version"},
		"no code":          {func(f *modelfile.File) { f.Manifest.Code = "" }, "manifest: code"},
		"no features":      {func(f *modelfile.File) { f.Manifest.Features = nil }, `features: "0", expected 1 to 256`},
		"a feature twice":  {func(f *modelfile.File) { f.Manifest.Features[1].Name = "AFFINITY" }, `features[1].name: "AFFINITY", expected each feature once`},
		"a nameless one":   {func(f *modelfile.File) { f.Manifest.Features[1].Name = "" }, "features[1].name"},
		"no definition":    {func(f *modelfile.File) { f.Manifest.Features[1].Definition = "" }, "features[1].definition"},
		"too many":         {func(f *modelfile.File) { f.Manifest.Features = manyTerms(modelfile.MaxFeatures + 1) }, `features: "257"`},
		"no first day":     {func(f *modelfile.File) { f.Manifest.Training.From = "" }, "training.from"},
		"no such day":      {func(f *modelfile.File) { f.Manifest.Training.Through = "2026-02-30" }, "training.through"},
		"days turned":      {func(f *modelfile.File) { f.Manifest.Training.Through = "2023-12-31" }, "not before 2024-01-01"},
		"no rows":          {func(f *modelfile.File) { f.Manifest.Training.Rows = 0 }, "training.rows"},
		"no data hash":     {func(f *modelfile.File) { f.Manifest.Training.DataHash = "" }, "training.dataHash"},
		"NaN":              {func(f *modelfile.File) { f.Manifest.Validation[1].Value = math.NaN() }, `validation[1].value: "NaN", expected a finite number`},
		"infinity":         {func(f *modelfile.File) { f.Manifest.Validation[1].Value = math.Inf(-1) }, "validation[1].value"},
		"an infinite end":  {func(f *modelfile.File) { f.Manifest.Validation[0].High = number(math.Inf(1)) }, "validation[0]"},
		"one end":          {func(f *modelfile.File) { f.Manifest.Validation[0].High = nil }, "both ends"},
		"ends turned":      {func(f *modelfile.File) { f.Manifest.Validation[0].Low = number(0.5) }, "an interval"},
		"a figure twice":   {func(f *modelfile.File) { f.Manifest.Validation[1].Name = "ndcg@10" }, "each figure once"},
		"a nameless value": {func(f *modelfile.File) { f.Manifest.Validation[1].Name = "" }, "validation[1].name"},
		"too many figures": {func(f *modelfile.File) { f.Manifest.Validation = manyFigures(modelfile.MaxFigures + 1) }, `validation: "1025"`},
		"no model":         {func(f *modelfile.File) { delete(f.Sections, modelfile.SectionModel) }, "model.yaml is missing"},
		"an unknown part":  {func(f *modelfile.File) { f.Sections["x"], f.Sections["a"] = nil, nil }, `section "a", expected one of`},
		"an empty part":    {func(f *modelfile.File) { f.Sections[modelfile.SectionAffinity] = nil }, "sections[1].bytes"},
		"a large YAML": {
			func(f *modelfile.File) { f.Sections[modelfile.SectionModel] = make([]byte, modelfile.MaxModelBytes+1) },
			"sections[0].bytes",
		},
		"too large": {
			func(f *modelfile.File) { f.Sections[modelfile.SectionAffinity] = make([]byte, modelfile.MaxBytes-100) },
			"expected at most 67108864",
		},
		"a large manifest": {func(f *modelfile.File) {
			f.Manifest.Validation = manyFigures(modelfile.MaxFigures)
			for i := range f.Manifest.Validation {
				f.Manifest.Validation[i].Name = fmt.Sprintf("%0256d", i)
			}
		}, "manifest: 285324 bytes"},
	} {
		f := sample()
		c.change(&f)
		_, err := modelfile.Encode(f)
		if !errors.Is(err, modelfile.ErrModelFile) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := modelfile.Decode(make([]byte, modelfile.MaxBytes+1)); err == nil || !strings.Contains(err.Error(), "expected at most") {
		t.Errorf("one byte too many: %v", err)
	}
}

func manyTerms(n int) (out []modelfile.Term) {
	for i := range n {
		out = append(out, modelfile.Term{Name: fmt.Sprint("f", i), Definition: "1"})
	}
	return out
}

func manyFigures(n int) (out []modelfile.Figure) {
	for i := range n {
		out = append(out, modelfile.Figure{Name: fmt.Sprint("f", i)})
	}
	return out
}

// Any file that can be written is read back, and written again with the same bytes.
func TestFilesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := sample()
		f.Manifest.Name = rapid.StringMatching(`[ -~α-ω一-龥<>&]{1,40}`).Draw(t, "name")
		f.Manifest.Version = rapid.IntRange(1, math.MaxInt32).Draw(t, "version")
		f.Manifest.Validation = nil
		for i := range rapid.IntRange(0, 5).Draw(t, "figures") {
			v := rapid.Float64().Filter(func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }).Draw(t, "value")
			f.Manifest.Validation = append(f.Manifest.Validation, modelfile.Figure{Name: fmt.Sprint(i), Value: v, Low: number(v), High: number(v)})
		}
		f.Sections[modelfile.SectionAffinity] = rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "affinity")
		if rapid.Bool().Draw(t, "without") {
			delete(f.Sections, modelfile.SectionConversion)
		}
		data, err := modelfile.Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		back, err := modelfile.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := modelfile.Encode(*back); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("written again: %v, other bytes", err)
		}
		at := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		if _, err := modelfile.Decode(data[:at]); !errors.Is(err, modelfile.ErrModelFile) {
			t.Fatalf("cut at %d: %v", at, err)
		}
	})
}

// A section holds whatever it holds, also what looks like the end of a file.
func TestASectionThatLooksLikeAnEnd(t *testing.T) {
	t.Parallel()
	f := sample()
	inner := encode(t, sample())
	f.Sections[modelfile.SectionAffinity] = inner
	delete(f.Sections, modelfile.SectionConversion)
	data := encode(t, f)
	got, err := modelfile.Decode(data)
	if err != nil || !bytes.Equal(got.Sections[modelfile.SectionAffinity], inner) {
		t.Fatalf("a model file within one: %v", err)
	}
	if _, err := modelfile.Decode(data[:len(data)-72]); !errors.Is(err, modelfile.ErrModelFile) {
		t.Errorf("cut at the inner end: %v", err)
	}
}

// FuzzDecode: nothing that comes from outside makes the reader panic, and what it takes is what
// Encode would have written.
func FuzzDecode(f *testing.F) {
	data := encode(f, sample())
	f.Add(data)
	f.Add(data[:len(data)-1])
	f.Add(data[:40])
	f.Add([]byte("fundmatch.model/v2\n"))
	f.Add([]byte("fundmatch.model/v3\n{}"))
	f.Add(sealed("fundmatch.model/v2\n{}\n"))
	f.Add(sealed(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, input := range [][]byte{data, sealed(string(data))} { // a fuzzer does not find hashes
			file, err := modelfile.Decode(input)
			if err != nil {
				if !errors.Is(err, modelfile.ErrModelFile) || file != nil {
					t.Fatalf("%v does not wrap ErrModelFile", err)
				}
				continue
			}
			again, err := modelfile.Encode(*file)
			if err != nil || !bytes.Equal(again, input) {
				t.Fatalf("read, and written again as other bytes: %v", err)
			}
		}
	})
}
