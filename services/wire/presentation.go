package wire

import (
	"github.com/fundmatch/fundmatch/matcher"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// humanRoute tells an elder how to reach a human (A04, A07).
const humanRoute = "card.human_route"

// Presentation says how an answer is to be shown to a customer (A07). Errors: the sentence
// is not among the core's, or is no plain one.
func Presentation(core *matcher.Core, elder bool) (*fundmatchv1.Presentation, error) {
	if !elder {
		return new(fundmatchv1.Presentation), nil
	}
	text := core.Wording()
	id, _ := text.ID(humanRoute)
	route, err := text.Append(nil, id, nil)
	return &fundmatchv1.Presentation{ElderMode: true, LargeType: true, PlainWords: true, HumanRoute: string(route)}, err
}
