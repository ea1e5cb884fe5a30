package features_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/features"
)

func TestErrorsNameWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		is   error
		text string
	}{
		{&features.NotFoundError{Kind: features.CustomerKind, ID: "c1"}, features.ErrNotFound, `CUSTOMER "c1": not found`},
		{features.Invalid("limit", "51", "1 to 50"), features.ErrInvalid, `limit: "51", expected 1 to 50`},
	} {
		wrapped := fmt.Errorf("reading: %w", c.err)
		if !errors.Is(wrapped, c.is) {
			t.Errorf("%v is not %v", wrapped, c.is)
		}
		if c.err.Error() != c.text {
			t.Errorf("text %q, want %q", c.err.Error(), c.text)
		}
	}
}

func TestInvalidRepeatsOnlyTheBeginningOfAValue(t *testing.T) {
	t.Parallel()
	for _, value := range []string{strings.Repeat("基", 1000), strings.Repeat("a", 81), strings.Repeat("\xbf", 500)} {
		got := features.Invalid("name", value, "a name").Value
		if len(got) > 83 || len(got) < 79 || utf8.ValidString(value) != utf8.ValidString(got) {
			t.Errorf("%d bytes are shown as %d bytes %q", len(value), len(got), got)
		}
	}
	if got := features.Invalid("name", strings.Repeat("a", 80), "a name").Value; len(got) != 80 {
		t.Errorf("a value at the limit is cut to %d bytes", len(got))
	}
}
