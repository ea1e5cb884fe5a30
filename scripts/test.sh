#!/usr/bin/env bash
# Runs the tests of every package, with the race detector wherever a C compiler is there to link it.
#
# usage: scripts/test.sh [GO TEST ARGUMENT...]     (default: ./...)
#
# RACE=required (or CI=true) fails without the detector; RACE=off leaves it out.
set -euo pipefail
cd "$(dirname "$0")/.."

race="${RACE:-auto}"
[[ ${CI:-} != true || $race != auto ]] || race=required

# The detector's runtime is linked by the C compiler, so cgo must be on for it; nothing else here uses cgo.
detector=()
if [[ $race != off ]]; then
  compiler=$(CGO_ENABLED=1 go env CC)
  if command -v "${compiler%% *}" >/dev/null; then
    export CGO_ENABLED=1
    detector=(-race)
  elif [[ $race == required ]]; then
    echo "test: the race detector is required and needs a C compiler ($compiler was not found): install gcc" >&2
    exit 1
  else
    echo "test: no C compiler ($compiler): running WITHOUT the race detector; install gcc to have it" >&2
  fi
fi

[[ $# -gt 0 ]] || set -- ./...
exec go test -timeout 20m ${detector[@]+"${detector[@]}"} "$@"
