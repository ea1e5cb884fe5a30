package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/services/wording"
)

// TestOnlyTextsMayBeLong: a text of its full length gets through however JSON spells it;
// one byte more is refused by name; no other path takes so much.
func TestOnlyTextsMayBeLong(t *testing.T) {
	t.Parallel()
	s := openMemoryBank(t, goldenBank).start(t)
	spelt := func(n int) string { return `{"text":"` + strings.Repeat(`\u000a`, n) + `"}` }
	for _, c := range []struct {
		path, body string
		code       int
		reason     string
	}{
		{lintPath, spelt(wording.MaxText), http.StatusOK, ""},
		{lintPath, spelt(wording.MaxText + 1), http.StatusBadRequest, reasonInvalid},
		{lintPath, `{"text":"` + strings.Repeat("a", wording.MaxBody) + `"}`, http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE"},
		{"/v1/events", `{"x":"` + strings.Repeat("a", 1<<20) + `"}`, http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE"},
	} {
		got := s.do(http.MethodPost, c.path, c.body)
		if got.code != c.code {
			t.Errorf("%s with %d bytes: %d %.200s, want %d", c.path, len(c.body), got.code, got.body, c.code)
			continue
		}
		if c.reason == "" {
			continue
		}
		f := got.failure(t)
		if f.reason() != c.reason || c.reason == reasonInvalid && !strings.Contains(f.Message, "1048576 bytes") {
			t.Errorf("%s with %d bytes: %s, want %s", c.path, len(c.body), got.body, c.reason)
		}
	}
}
