package casefile

import (
	"maps"
	"slices"
)

// conventions are the words that the operations are built on, as the file's head says them.
// A file that says others may mean something else by the same op.
var conventions = map[string]string{
	"time":              "RFC 3339; compare as instants",
	"bound":             "pit_join: event_ts <= as_of (inclusive) [Feast, Feathr, Featureform, OpenMLDB last join]; window_avg cases state bound=exclusive (event_ts < as_of AND known_ts < as_of) [Chronon]",
	"order":             "newest by (event_ts, known_ts [null lowest], arrival order)",
	"ttl":               "usable when as_of - ttl <= event_ts; ttl null or 0 = unlimited",
	"known_cutoff":      "pit_join default false unless params.known_cutoff; when true known_ts must be non-null and <= as_of",
	"rows":              "one output row per request row, request order, never dropped or merged; keys of expected.values are view.feature",
	"arrival":           "array order of rows is arrival order",
	"online_upsert":     "expected[i] = what a read of entity 1 returns after batch i (own store per batch when each_batch_starts_empty)",
	"statuses":          "PRESENT, NULL_VALUE (written as null), NOT_FOUND (never written), OUTSIDE_MAX_AGE (ttl), EXPIRED (valid_to), PURPOSE_DENIED, CONSENT_MISSING, CONSENT_WITHDRAWN",
	"window_count_self": "for each event: 1 + the number of other events of the entity with t - window < ts < t, capped at max_size where it is given",
	"online_read":       "one {feature, value, status} per requested feature at `now`; OUTSIDE_MAX_AGE when now - event_ts > ttl",
	"replay":            "newest by (event_ts, known_ts) with both <= at",
	"consent_read":      "cells {feature: [value, status]}; purpose is checked first, then the latest consent with ts <= at",
}

// strangeConventions returns the keys whose words are not those of this package.
func strangeConventions(said map[string]string) []string {
	var strange []string
	for _, key := range slices.Sorted(maps.Keys(said)) {
		if conventions[key] != said[key] {
			strange = append(strange, key)
		}
	}
	return strange
}
