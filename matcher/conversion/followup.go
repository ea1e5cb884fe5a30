package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// FollowUp is the key node (关键节点) to return to, and when. Zero: nothing follows.
type FollowUp struct {
	Node     fund.KeyNode
	Backward bool      // the process runs in reverse: first the doubt, then the order
	On       fund.Date // a trading day
	Sentence string    // template for the manager; it has no slots
}

// nextNode is what follows a key node: where to, and after how many days. Whoever broke
// off an order is led back to his question, because something stopped him: calling him
// to finish it would be urging. After a purchase the call carries no product (售后陪伴),
// and comes when the first statement does.
type nextNode struct {
	node     fund.KeyNode
	backward bool
	days     int
	sentence string
}

var nextNodes = [fund.KeyNodes]nextNode{
	fund.Viewed:    {fund.Asked, false, 3, "conversion.follow_up.viewed"},
	fund.Asked:     {fund.Started, false, 1, "conversion.follow_up.asked"},
	fund.Started:   {fund.Asked, true, 2, "conversion.follow_up.started"},
	fund.Abandoned: {fund.Asked, true, 2, "conversion.follow_up.abandoned"},
	fund.Confirmed: {fund.Confirmed, false, CompanionDays, "conversion.follow_up.confirmed"},
}

// The days of following up.
const (
	CompanionDays  = 30 // from a purchase to the call that asks how it goes
	FollowUpWithin = 90 // an interest that is older says little: nothing follows it
)

// followUp says what follows the action. Nothing follows a refusal, an open complaint, a
// missing consent, a second rebuttal, the word that he is being sold to, what is not offered, or an interest that has gone
// cold. What he put off to a day comes on that day, what the caps put off after them.
func followUp(c *sitting, a Action) FollowUp {
	t := &c.Thread
	if t.Journey == nil || refused(c) || t.Silenced || t.Pushed || t.putOff() || !t.Contact.comes() {
		return FollowUp{}
	}
	next, since := standsAt(t.Journey)
	if next.node == fund.NoNode || !follows(c, a, next.node) {
		return FollowUp{}
	}
	due := max(since.AddDays(next.days), t.NotNowUntil, t.Contact.NotBefore)
	if next.node != fund.Confirmed {
		if t.NotNowUntil <= c.day && c.day.DaysSince(max(since, t.NotNowUntil)) > FollowUpWithin {
			return FollowUp{}
		}
		due = max(due, c.day)
	}
	on, _ := c.Calendar.Next(due)
	if on < c.day { // none is in sight, or the day of the one call has passed
		return FollowUp{}
	}
	sentence := next.sentence
	if t.NotNowUntil > c.day && next.node != fund.Confirmed {
		sentence = "conversion.follow_up.not_now"
	}
	return FollowUp{Node: next.node, Backward: next.backward, On: on, Sentence: sentence}
}

// standsAt returns what follows the node that he reached last, and the day on which he
// reached it. What he did before he refused counts no more.
func standsAt(j *fund.Journey) (*nextNode, fund.Date) {
	if j.Node >= fund.KeyNodes {
		return &nextNodes[fund.NoNode], 0
	}
	at := j.Reached[j.Node]
	if at == 0 || at <= j.Refused.At {
		return &nextNodes[fund.NoNode], 0
	}
	return &nextNodes[j.Node], at.Date()
}

// follows reports whether an action is one that is followed up. A purchase is, as long as
// he holds it; everything else only where the product may be offered to him.
func follows(c *sitting, a Action, node fund.KeyNode) bool {
	if node == fund.Confirmed {
		return a == Hold && c.Person.Held
	}
	switch a {
	case Buy, Plan, Ask, TalkToManager, NoContact:
		return c.Standing == Permitted
	default:
		return false
	}
}

// comes reports whether a contact is allowed, or will be by itself: caps and quiet hours
// put it off, everything else forbids it.
func (c *Contact) comes() bool {
	if c.OpenComplaints > 0 {
		return false
	}
	return c.Allowed || (c.Reason == ContactCap || c.Reason == ContactQuiet) && c.NotBefore != 0
}
