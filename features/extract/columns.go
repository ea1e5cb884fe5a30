package extract

import (
	"strings"

	"github.com/fundmatch/fundmatch/features/view"
)

// column is one feature of the output.
type column struct {
	name string // view.feature
	kind view.Type
}

// columnsOf lists the features of a plan in the order of its cells.
func columnsOf(p *view.Plan) []column {
	refs, types := p.Columns(), p.Types()
	out := make([]column, len(refs))
	for i, ref := range refs {
		out[i] = column{ref.String(), types[i]}
	}
	return out
}

// addedColumns are the names of the columns that come behind those of the labels.
func (r *running) addedColumns() []string {
	var names []string
	for _, c := range r.columns {
		names = append(names, c.name)
		if r.Options.Status {
			names = append(names, c.name+statusSuffix)
		}
	}
	return names
}

const statusSuffix = ":status"

// versions lists the views of the plan with the versions of their definitions.
func (j *Job) versions() string {
	var out []string
	seen := map[string]bool{}
	for _, ref := range j.Plan.Columns() {
		if !seen[ref.View] {
			seen[ref.View] = true
			out = append(out, ref.View+"="+j.Catalogue.Version(ref.View))
		}
	}
	return strings.Join(out, " ")
}
