package features_test

import (
	"errors"
	"testing"

	"github.com/fundmatch/fundmatch/features"
)

func TestAValueHasOneForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		` 5 `: "5", `"a\u0062"`: `"ab"`, `[ "a", "b" ]`: `["a","b"]`, "null\n": "null", "true": "true", "1.50": "1.50", `"<&>"`: `"<&>"`, "[]": "[]",
	} {
		got, err := features.CanonicalValue(text)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
		if again, err := features.CanonicalValue(got); err != nil || again != got {
			t.Errorf("%q again: %q, %v", got, again, err)
		}
	}
	for _, text := range []string{"", " ", "5]", "5 }", `"x"]`, `["a"]]`, "5 6", "5,", "{}", "[1]", `[["a"]]`, "[", "tru", "'x'", "01"} {
		if got, err := features.CanonicalValue(text); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%q: %q, %v, want ErrInvalid", text, got, err)
		}
	}
}
