package decision

import (
	"strconv"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// answer is a recorded answer of whatever kind.
type answer interface {
	// identity is what it was computed from.
	identity() *matcher.Identity
	// present fills in what it says.
	present(out *fundmatchv1.GetDecisionResponse)
	// again computes it again, for the recorded request, from the sealed profile.
	again(core *matcher.Core, profile *fund.Profile) (answer, error)
	// differences says in words what differs from one that was computed again.
	differences(again answer) []string
	// AppendCanonical appends the bytes that replay compares.
	AppendCanonical(dst []byte) []byte
}

// parse reads an answer of whatever kind. Errors wrap fund.ErrMalformed or
// fund.ErrNewerVersion.
func parse(payload []byte) (answer, error) {
	switch matcher.KindOf(payload) {
	case matcher.OrderAnswer:
		check, err := matcher.ParseOrderCheck(payload)
		return (*orderAnswer)(check), err
	case matcher.SwitchAnswer:
		assessment, err := matcher.ParseSwitchAssessment(payload)
		return (*switchAnswer)(assessment), err
	default:
		slate, err := matcher.ParseSlate(payload)
		return (*slateAnswer)(slate), err
	}
}

// maxDifferences bounds the list: the first ones tell.
const maxDifferences = 20

// differing collects what differs.
type differing []string

func (d *differing) add(what, was, is string) {
	if was != is && len(*d) < maxDifferences {
		*d = append(*d, what+": recorded "+was+", recomputed "+is)
	}
}

// list is what differs; where nothing of it has a name, that is said.
func (d *differing) list() []string {
	if len(*d) == 0 {
		return []string{"only evidence, texts' names or derived values differ"}
	}
	return *d
}

func fen(m fund.Money) string { return strconv.FormatInt(int64(m), 10) }
