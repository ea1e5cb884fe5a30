package matcher_test

import (
	"errors"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
)

// Violations agrees with Explain about every product, and finds none in what Match answers.
func TestViolations(t *testing.T) {
	t.Parallel()
	b := benchBank(60)
	core := b.compile(t)
	var buf matcher.Slate
	found, fine := 0, 0
	for i := range 60 {
		p, r := b.customer(i), b.request(core)
		if i%2 == 0 {
			p, r.Licence = busyCustomer(b), licensed
		}
		answer := match(t, core, p, r)
		if n, err := core.Violations(p, answer, &buf); n != 0 || err != nil {
			t.Fatalf("customer %d: %d of what was answered, %v", i, n, err)
		}
		for range 20 {
			code, want := core.Product(b.rng.IntN(core.Len())).Code, 1
			e, err := core.Explain(p, code, r)
			if err != nil {
				t.Fatal(err)
			}
			if e.Verdict.Permitted {
				want = 0
				fine++
			}
			made := matcher.Slate{Request: r, Items: []matcher.Item{{Code: code}}}
			if n, err := core.Violations(p, &made, &buf); n != want || err != nil {
				t.Fatalf("customer %d, %s: %d, %v, want %d", i, code, n, err, want)
			}
			found += want
		}
	}
	if found < 100 || fine < 50 {
		t.Errorf("%d violations, %d permitted: nothing was tried", found, fine)
	}
	made := matcher.Slate{Request: matcher.Request{At: b.asOf, Limit: 1}, Items: []matcher.Item{{Code: "nowhere"}}}
	if n, err := core.Violations(b.customer(0), &made, &buf); n != 1 || err != nil {
		t.Errorf("a product that is in no pool: %d, %v", n, err)
	}
	made.Request.At = 0
	if _, err := core.Violations(b.customer(0), &made, &buf); !errors.Is(err, matcher.ErrOutsideValidity) {
		t.Errorf("at another time: %v", err)
	}
}
