// Package synthetic invents a Chinese bank for `fundmatch demo` and `serve --demo`: a
// pool of funds with share classes, fee ladders and launch states, net asset values
// with a crash and a slump in them, and customers who buy, bear and sell by their goals
// and fears. Nobody and nothing in it exists.
//
// The same options give the same bytes: every entity draws from its own stream, seeded
// by (seed, kind of entity, index); no transcendental function is used, whose last bit
// depends on the processor; dates derive from Options.AsOf alone. A customer depends on
// his index and the pool only, never on another customer, so the bank is streamed.
package synthetic
