// Package backtest asks of the past how good lists would have been: for each split it
// learns from what was known on the split's day, makes lists as the service would, and
// judges them by what the customers turned out to want.
//
// What must not be read cannot be: a Recommender is given a History, which is a copy of
// what was known and holds nothing else, and a Ranker the set of products that may be
// listed. What turned out to be wanted stays with the judge.
package backtest
