package recommendation

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// BenchmarkPresent is the presenter alone: five items, no match, no transport.
func BenchmarkPresent(b *testing.B) {
	store, core, at := openCore(b)
	ids, err := store.CustomerIDs(b.Context(), "", 1000)
	if err != nil {
		b.Fatal(err)
	}
	for _, audience := range []wording.Audience{wording.Customer, wording.Manager} {
		b.Run(audience.String(), func(b *testing.B) {
			slates := make([]matcher.Slate, 32)
			for i := range slates {
				p, err := store.Profile(b.Context(), ids[i%len(ids)], at)
				if err != nil {
					b.Fatal(err)
				}
				if err := core.Match(p, matcher.Request{At: at, Channel: fund.App, Audience: audience, Limit: 5}, &slates[i]); err != nil {
					b.Fatal(err)
				}
			}
			var service Service
			var kept buffers
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				v := service.presenter(core, audience)
				v.page.text, v.page.marks, v.facts = kept.text, kept.marks, kept.facts
				v.answer(&slates[i%len(slates)], false)
				kept.text, kept.marks, kept.facts = v.page.text, v.page.marks, v.facts
				if v.err != nil {
					b.Fatal(v.err)
				}
			}
		})
	}
}
