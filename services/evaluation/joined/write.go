package joined

import (
	"io"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// LogWriter writes rows as a policy log. It has the column target_propensity, and how much of the policy has no support,
// only where a policy is judged.
type LogWriter struct {
	out     *policylog.Writer
	numbers int
	rows    []policylog.Row
}

// NewLogWriter begins a log for rows of a policy.
func NewLogWriter(w io.Writer, f policylog.Format, p Policy) (*LogWriter, error) {
	columns := policylog.Columns{Target: p != NoPolicy, Texts: TextColumns(), Numbers: NumberColumns()}
	if p == NoPolicy {
		columns.Numbers = columns.Numbers[:unsupported]
	}
	out, err := policylog.NewWriter(w, f, columns)
	return &LogWriter{out: out, numbers: len(columns.Numbers)}, err
}

// Write is Writer.
func (l *LogWriter) Write(rows []Row) error {
	l.rows = l.rows[:0]
	for i := range rows {
		r := &rows[i]
		l.rows = append(l.rows, policylog.Row{
			DecisionID: r.DecisionID, CustomerID: r.CustomerID, DecidedAt: r.DecidedAt.Time().UnixNano(), Position: r.Position,
			ProductCode: r.ProductCode, Reward: r.Reward, Propensity: r.Propensity, Target: r.Target,
			Texts: r.Texts[:], Numbers: r.Numbers[:l.numbers],
		})
	}
	return l.out.Write(l.rows)
}

// Close writes what is left; it does not close what it writes to.
func (l *LogWriter) Close() error { return l.out.Close() }
