package matcher

// AssessmentLimits is how many risk assessments of a customer count at most in a day and
// in twelve months (S13); 0 while the rule is not in force.
func (c *Core) AssessmentLimits() (perDay, perYear int) { return c.rules.Tests() }

// ForbidsTag reports whether no tag of that name may be kept of anybody (A09).
func (c *Core) ForbidsTag(name string) bool { return c.rules.ForbidsTag(name) }
