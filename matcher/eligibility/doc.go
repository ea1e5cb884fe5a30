// Package eligibility is the gate: it says which products may be offered or sold to a
// customer, and names the rule and the source of every refusal. Rules gate, models
// rank: nothing here scores.
//
// A rule pack (YAML) holds what a bank may set: parameters, stricter outcomes, periods.
// What a rule means is code. Compile turns the rules in force on a day and a pool of
// products into bitsets, so that Select is a handful of ANDs; Judge asks the same rules
// about one product and reports every one that spoke. The two cannot disagree: the
// bitsets are filled by the functions that Judge calls.
package eligibility
