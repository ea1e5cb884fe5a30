package outcome

// Default returns the parameters that ship with the program. The settings were chosen on
// entries of before the crash of 2015, the shapes fitted to all holdings of 94 Chinese funds
// from 2013-07 to 2017-07, the crash included (docs/outcome.md): a bank's own `train`
// replaces them.
func Default() Params {
	p := Params{Settings: DefaultSettings()}
	p.Shapes = [Horizons]Shape{
		{Holdings: 13304, Windows: 16.02, Drawdown: [Levels]float64{0.2980, 0.3455, 0.4732, 0.7349, 1.2133, 1.7911, 2.5587}},
		{Holdings: 12165, Windows: 8.04, Drawdown: [Levels]float64{0.2836, 0.3407, 0.5215, 0.7961, 1.1857, 2.1885, 2.8944}},
		{Holdings: 9708, Windows: 4.01, Drawdown: [Levels]float64{0.2371, 0.2909, 0.4759, 0.7703, 1.8646, 3.1702, 4.0057}},
		{Holdings: 5555, Windows: 2.01, Drawdown: [Levels]float64{1.1389, 1.4841, 1.8154, 2.1936, 2.6045, 2.9216, 3.0873}},
		{Holdings: 2386, Windows: 1.34, Drawdown: [Levels]float64{1.1805, 1.3669, 1.5320, 1.8271, 2.1362, 2.3855, 2.5208}},
	}
	for h := range Horizons {
		p.Shapes[h].Months, p.Shapes[h].Return = h.Months(), randomWalk.Return
	}
	return p
}

// DefaultSettings returns the settings that ship with the program.
func DefaultSettings() Settings {
	return Settings{
		HalfLife:     23,                                      // a decay of 0.97 a return, RiskMetrics' for horizons of months
		LongRun:      [Horizons]float64{0, 0, 0, 0.86, 0.905}, // 1 less what is Kept of 0.9856 a return
		ClassReturns: 60,
		MinReturns:   60,
		MinClass:     5,
	}
}
