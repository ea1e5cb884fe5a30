package behaviour_test

import "github.com/fundmatch/fundmatch/matcher/fund"

// base is 2024-03-15 10:00 in Shanghai.
const base = fund.Instant(1_710_468_000_000_000)
