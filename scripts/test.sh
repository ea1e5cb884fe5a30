#!/usr/bin/env bash
# Runs the tests of every package, with the race detector wherever a C compiler is there to link it.
#
# usage: scripts/test.sh [GO TEST ARGUMENT...]     (default: ./...)
#
# RACE=required (or CI=true) fails without the detector; RACE=off leaves it out.
#
# Tests of the PostgreSQL store start a server of their own (features/sqlstore/pgtest). Where its programs are missing they
# are installed, if this is root on a Debian; else those tests are skipped and say so, and with CI=true they fail.
# FUNDMATCH_TEST_POSTGRES=postgres://... names a server to use instead.
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

have_postgres() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
if [[ -z ${FUNDMATCH_TEST_POSTGRES:-} ]] && ! have_postgres; then
  if [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
    echo "test: installing PostgreSQL for the tests of its store" >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql; } >&2 || true
  fi
  have_postgres || echo "test: no PostgreSQL: the tests of its store are SKIPPED; install Debian's package postgresql, or" \
    "name a server in FUNDMATCH_TEST_POSTGRES" >&2
fi

[[ $# -gt 0 ]] || set -- ./...
exec go test -timeout 20m ${detector[@]+"${detector[@]}"} "$@"
