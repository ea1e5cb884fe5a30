package main

import (
	"strconv"
	"strings"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// modelLine writes a model on one line: its states, what it is, its id.
func (c *card) modelLine(m *fundmatchv1.Model) {
	title := m.GetName() + " v" + strconv.Itoa(int(m.GetVersion()))
	if m.GetName() == "" {
		title = "cannot be read"
	}
	trained := "not trained"
	if m.GetTrainedThrough() != "" {
		trained = "trained through " + m.GetTrainedThrough()
	}
	c.line(0, "%-8s  %s  %s, %s, %s bytes", strings.Join(m.GetStates(), "+"), m.GetModelId(), title, trained, strconv.FormatInt(m.GetBytes(), 10))
	c.textLine(1, "problem: ", m.GetProblem())
}

// model writes all that is known of a model.
func (c *card) model(m *fundmatchv1.Model) {
	title := m.GetName() + " v" + strconv.Itoa(int(m.GetVersion()))
	if len(m.GetStates()) > 0 { // of a file that is only checked there are none
		title += "  " + strings.Join(m.GetStates(), " ")
	}
	c.line(0, "%s", title)
	c.line(1, "id: %s", m.GetModelId())
	c.line(1, "schema: %s, %d bytes", m.GetSchema(), m.GetBytes())
	c.textLine(1, "problem: ", m.GetProblem())
	if m.GetTrainedThrough() != "" {
		c.line(1, "trained: %s to %s, %d rows, by %s", m.GetTrainedFrom(), m.GetTrainedThrough(), m.GetTrainingRows(), m.GetCode())
		c.line(1, "data: sha256:%s", m.GetDataHash())
	}
	for _, f := range m.GetFeatures() {
		c.line(1, "reads %s (definition %s)", f.GetName(), f.GetDefinition())
	}
	for _, w := range m.GetWeights() {
		c.line(1, "weight %s: %s", w.GetFeature(), figure(w.GetWeight()))
	}
	for _, f := range m.GetValidation() {
		between := ""
		if f.Low != nil && f.High != nil {
			between = " [" + figure(f.GetLow()) + ", " + figure(f.GetHigh()) + "]"
		}
		c.line(1, "%s: %s%s", f.GetName(), figure(f.GetValue()), between)
	}
	for _, h := range m.GetHistory() {
		c.line(1, "%s %s by %s: %s", shanghai(h.GetAt().AsTime()), h.GetKind(), h.GetBy(), h.GetNote())
	}
}

// figure writes a number as short as it is exact.
func figure(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
