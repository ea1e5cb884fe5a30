package wire

import (
	"github.com/fundmatch/fundmatch/matcher/switching"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// SwitchCost presents what a switch certainly costs; nil when it is not known.
func SwitchCost(c *switching.Cost) *fundmatchv1.SwitchCost {
	if !c.OK {
		return nil
	}
	return &fundmatchv1.SwitchCost{
		ExitFen: int64(c.Exit), EntryFen: int64(c.Entry), LostStepsFen: int64(c.Lost), RunningFen: int64(c.Running), TotalFen: int64(c.Total()),
	}
}
