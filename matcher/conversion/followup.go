package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// FollowUp is the key node (关键节点) to return to, and when. Zero: nothing follows.
type FollowUp struct {
	Node     fund.KeyNode
	Backward bool      // the process runs in reverse: first the doubt, then the order
	On       fund.Date // a trading day
	Sentence string    // template for the manager; it has no slots
}
