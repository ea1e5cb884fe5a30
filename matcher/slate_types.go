package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// Limits of a list.
const (
	MinLimit     = 1
	MaxLimit     = 50
	DefaultLimit = 10
)

// Request is one question to a core, on the firm's initiative.
type Request struct {
	At       fund.Instant
	Channel  fund.Channel
	Audience wording.Audience // who reads the texts; it changes nothing else
	Limit    int
}

// Slate is one answer, whole and without reference to the core: what a decision record
// keeps. Its buffers are used again by the next Match into it; a Slate must not be
// shared while it is being filled.
type Slate struct {
	CustomerID  string
	Request     Request
	Identity    Identity
	Personal    bool // the ranking read personal cells
	Information bool // for reading only: no order is possible (S12)
	ValidUntil  fund.Instant
	Wish        expectation.Wish
	Items       []Item
	Excluded    []eligibility.RuleCount
	Notices     []Notice
	Disclosures []string // templates, in the order in which they are shown

	work work
}

// Item is one product of an answer.
type Item struct {
	Code          string
	Score         float64
	Propensity    float64
	Contributions []score.Contribution
	Matched       []expectation.Match
	Objections    []objection.Objection
	Conversion    conversion.Conversion
	PeerCode      string // existing fund beside a new issue (K03)
}

// Notice tells the reader something about the whole answer.
type Notice struct {
	Code     string
	Sentence string // template
	Task     string // what resolves it; may be empty
	Evidence []fund.Evidence
}

// work are the buffers of Match.
type work struct {
	asking        asking
	verdicts      eligibility.Verdicts
	scores        score.Scores
	choice        slate.Buffers
	owned, held   []int32
	contributions []score.Contribution
	matches       []expectation.Match
	objections    []objection.Objection
	facts         []fund.Evidence
}

// reset empties the answer and keeps the buffers.
func (s *Slate) reset() {
	w := s.work
	w.contributions, w.matches, w.objections, w.facts = w.contributions[:0], w.matches[:0], w.objections[:0], w.facts[:0]
	*s = Slate{Items: s.Items[:0], Notices: s.Notices[:0], Disclosures: s.Disclosures[:0], work: w}
}
