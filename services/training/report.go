package training

import (
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// Report tells what was learnt, from what, and how well it holds.
type Report struct {
	Schema     string           `json:"schema"`
	Name       string           `json:"name"`
	Version    int              `json:"version"`
	ID         string           `json:"id"` // hex SHA-256 of the model file
	Training   modelfile.Window `json:"training"`
	Cuts       ReportCuts       `json:"cuts"`
	Counts     Counts           `json:"counts"`
	Conversion *Conversion      `json:"conversion"` // null: not fitted, see Notices
	Chosen     Weights          `json:"chosenWeights"`
	Weights    []Weight         `json:"weights"`  // empty: not fitted, see Notices
	Pairs      int64            `json:"pairs"`    // that the weights were fitted on
	Amount     *score.Linear    `json:"amount"`   // null: not fitted, see Notices
	Holding    *score.Linear    `json:"holding"`  // null: not fitted, see Notices
	Affinity   *Affinity        `json:"affinity"` // null: the base is of neighbours alone
	Outcome    *Outcome         `json:"outcome"`  // null: the base foresees nothing
	Notices    []string         `json:"notices"`  // what is not in the model, and why
}

// ReportSchema names the form of the report.
const ReportSchema = "fundmatch.training-report/v1"

// ReportCuts are the first days of the periods after the first.
type ReportCuts struct {
	Calibrate string `json:"calibrate"`
	Judge     string `json:"judge"`
}
