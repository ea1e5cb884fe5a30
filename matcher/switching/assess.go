package switching

// Assess says what a switch costs and what it brings, into out. It reads no clock and
// forecasts nothing.
func Assess(c *Case, out *Assessment) { *out = Assessment{BreakEven: -1} }
