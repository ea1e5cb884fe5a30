#!/usr/bin/env bash
# Runs every fuzz target for a while; a crasher is written to the package's testdata/fuzz and fails the run.
#
# usage: scripts/fuzz.sh [PACKAGE PATTERN...]     (default: ./...)
#
# FUZZTIME is the time for each target, 10s unless set; more targets than one never run at once.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ $# -gt 0 ]] || set -- ./...

# targets prints "package target" lines. `go test -list` prints a package's names before its closing "ok" line.
targets() {
  go test -list '^Fuzz' "$@" | awk '
    /^Fuzz/ { names[++n] = $1; next }
    /^ok/   { for (i = 1; i <= n; i++) print $2, names[i] }
            { n = 0 }'
}

found=$(targets "$@")
[[ -n $found ]] || { echo "fuzz: no fuzz target in $*" >&2; exit 1; }

while read -r package target; do
  echo "fuzz: $package $target"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" "$package" </dev/null
done <<<"$found"
