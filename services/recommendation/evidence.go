package recommendation

import (
	"slices"
	"sync/atomic"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// evidenceFile keeps the evidence of doubts as messages, made when they are first shown
// by one pool: what answers a doubt is mostly the product's record, the same for every
// customer, and for every model that is swapped in or answers an arm. Answers share the
// messages; nobody may change them.
type evidenceFile struct {
	pool     matcher.Identity // of the cores, but for their models
	products [][objection.Codes]atomic.Pointer[filed]
}

// filed is the evidence that a product's doubt was answered with first.
type filed struct {
	facts    []fund.Evidence
	messages []*fundmatchv1.Evidence
}

// poolOf is what the cores have in common whose products stand at the same places.
func poolOf(core *matcher.Core) matcher.Identity {
	id := core.Identity()
	id.ModelID = ""
	return id
}

func newEvidenceFile(core *matcher.Core) *evidenceFile {
	return &evidenceFile{pool: poolOf(core), products: make([][objection.Codes]atomic.Pointer[filed], core.Len())}
}

// find returns the messages of facts that are on file. The first facts of a doubt are
// filed; others of the same doubt, such as costs of another amount, are not found.
func (f *evidenceFile) find(place int, code objection.Code, facts []fund.Evidence) ([]*fundmatchv1.Evidence, bool) {
	slot := &f.products[place][code]
	on := slot.Load()
	if on == nil {
		// The facts lie in a buffer that the next answer is made in.
		on = &filed{facts: slices.Clone(facts), messages: wire.Evidence(facts)}
		if !slot.CompareAndSwap(nil, on) {
			on = slot.Load()
		}
	}
	return on.messages, slices.Equal(on.facts, facts)
}

// evidence returns the file of a core's pool.
func (s *Service) evidence(core *matcher.Core) *evidenceFile {
	file := s.onFile.Load()
	if file == nil || file.pool != poolOf(core) {
		file = newEvidenceFile(core)
		s.onFile.Store(file)
	}
	return file
}
