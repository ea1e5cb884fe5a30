package fund

import "fmt"

// Channel is where an answer is given.
type Channel uint8

// The channels. An unknown channel is treated as one without a manager.
const (
	ChannelUnknown Channel = iota
	App
	Branch
)

var channelNames = [...]string{"", "APP", "BRANCH"}

// String returns the channel's code.
func (c Channel) String() string { return nameOf(channelNames[:], uint8(c)) }

// ParseChannel reads APP or BRANCH. The empty text is unknown.
func ParseChannel(s string) (Channel, error) {
	n, err := parseName(channelNames[:], s, "channel")
	return Channel(n), err
}

// Initiative says who brought a product up. It is derived from what the firm exposed
// and spoke of, not believed: the zero value is the firm's, because an order whose
// origin cannot be shown is the firm's.
type Initiative uint8

// The initiatives.
const (
	ByFirm     Initiative = iota // feed, branch proposal, notification, reverse match
	ByCustomer                   // his own search or order
)

var initiativeNames = [...]string{"FIRM", "CUSTOMER"}

// String returns the initiative's code.
func (i Initiative) String() string { return nameOf(initiativeNames[:], uint8(i)) }

// ParseInitiative reads FIRM or CUSTOMER. The empty text is the firm's.
func ParseInitiative(s string) (Initiative, error) {
	switch s {
	case "", "FIRM":
		return ByFirm, nil
	case "CUSTOMER":
		return ByCustomer, nil
	}
	return ByFirm, fmt.Errorf("%w: initiative %q, expected FIRM or CUSTOMER", ErrInvalid, s)
}
