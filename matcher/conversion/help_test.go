package conversion_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

func templates(t *testing.T) *wording.Templates {
	t.Helper()
	text, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// render writes a sentence from exactly its own evidence; empty: it cannot be said.
func render(text *wording.Templates, name string, evidence []fund.Evidence) string {
	id, _ := text.ID(name)
	out, err := text.AppendEvidence(nil, id, evidence)
	if err != nil {
		return ""
	}
	return string(out)
}

func forCustomer(text *wording.Templates, name string) bool {
	id, ok := text.ID(name)
	return ok && text.Audience(id).May(wording.Customer)
}

// instantOf reads a time that a test wrote itself; 0 where it is none.
func instantOf(s string) fund.Instant {
	at, _ := fund.ParseInstant(s)
	return at
}

func hours(n int32) time.Duration { return time.Duration(n) * time.Hour }

// slicesEndWith reports whether a step is the last that is not empty.
func slicesEndWith(steps []conversion.Step, last conversion.Step) bool {
	n := slices.Index(steps, "")
	if n < 0 {
		n = len(steps)
	}
	return n > 0 && steps[n-1] == last
}
