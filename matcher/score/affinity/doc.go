// Package affinity learns, from who bought what and when, how near each fund is to the
// funds that a customer holds.
//
// For a customer who holds the m funds x, fund y is worth
//
//	(Σ share(x,y)/m + gain · (m-1) · Σ joint(x,y)) · trend(y) · crowd(u,y)
//
// where
//
//   - share(x,y): how many of a hundred holders of x hold y too, shrunk towards what
//     holders of x's kind hold where x has few holders. A fund that nobody holds yet is
//     reached through its kind, issuer, theme, goal and market alone.
//   - joint(x,y): what x says about y once all other funds held are accounted for:
//     closed-form ridge item to item (EASE; Steck, WWW 2019, arXiv 1905.03375). One fund
//     says nothing twice, so it counts by the funds beyond the first; with many, what
//     overlaps must not be counted again.
//   - trend(y): how much oftener than its holders let expect y was bought of late.
//   - crowd(u,y): how much oftener the customer's likes hold y: those with about as many
//     funds, those of his group, those of his risk level as known by then. Who holds
//     nothing yet has trend and crowd alone, times the holders.
//
// The inner sum is linear in the rows of the owned funds, so a customer costs a few
// hundred additions a fund held. Training reads nothing later than its day, counts in
// whole numbers and adds in a fixed order: the same bits for any number of workers.
package affinity
