// Package fund holds the nouns of the trade: products, customers, lots, money,
// grades and levels, dates and instants, fees, trading calendars, and the figures
// that one stage of the matcher hands to another. It depends on nothing but the
// standard library, and every stage depends on it and on no other stage.
package fund
