package memory

import (
	"bytes"
	"context"
	"slices"

	"github.com/fundmatch/fundmatch/features"
)

// Quarantined is features.Quarantine.
func (s *Store) Quarantined(ctx context.Context, yield func(*features.QuarantinedFact) error) error {
	var kept []features.QuarantinedFact // only ever added to, or replaced by an erasure
	if err := s.read(ctx, func() error { kept = s.people.early; return nil }); err != nil {
		return err
	}
	for i := range kept {
		fact := kept[i]
		if err := yield(&fact); err != nil {
			return err
		}
	}
	return nil
}

// keepEarly keeps the facts that are not there yet. The state is locked.
func (p *people) keepEarly(facts []features.QuarantinedFact) {
	for i := range facts {
		digest := facts[i].Digest()
		if !slices.ContainsFunc(p.early, func(q features.QuarantinedFact) bool {
			return q.CustomerID == facts[i].CustomerID && bytes.Equal(q.Digest(), digest)
		}) {
			p.early = append(p.early, facts[i])
		}
	}
}
