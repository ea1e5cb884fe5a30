package casefile_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/fundmatch/fundmatch/features/casefile"
	"github.com/fundmatch/fundmatch/features/memory"
)

// vectors are the published cases, beside the repository.
const vectors = "../../../shared/vectors/point_in_time.json"

// files are the cases of our own: the edges of the conventions, and what the public feature
// stores that the vectors come from promise besides.
func files() []string { return []string{"testdata/cases.json", "testdata/sources.json"} }

// openMemory opens a store of its own for each batch.
func openMemory(context.Context) (casefile.Store, func() error, error) {
	s := memory.New()
	return s, s.Close, nil
}

// read reads a file of cases.
func read(t *testing.T, name string) *casefile.File {
	t.Helper()
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there: the vectors lie beside the repository", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := casefile.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// pass runs a file and fails for each case that does not pass.
func pass(t *testing.T, f *casefile.File, run string, open casefile.Open) {
	t.Helper()
	err := casefile.Run(t.Context(), f, run, open, func(r *casefile.Result) error {
		if r.Verdict != casefile.Pass {
			text, _ := json.Marshal(r)
			t.Errorf("%s", text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestVectorsPass(t *testing.T) {
	t.Parallel()
	pass(t, read(t, vectors), casefile.RunName(1), openMemory)
}

func TestCasesPass(t *testing.T) {
	t.Parallel()
	for _, name := range files() {
		pass(t, read(t, name), casefile.RunName(1), openMemory)
	}
}
