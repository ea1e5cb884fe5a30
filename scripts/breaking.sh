#!/usr/bin/env bash
# Holds the API: fails when the .proto files break what their base promised on the wire or in JSON (buf.yaml).
#
# usage: scripts/breaking.sh [COMMIT]
#
# The base is COMMIT; else HEAD when proto/ has uncommitted changes, else the commit before HEAD; and besides, the last
# release tag (v*), when there is one. A base without .proto files promised nothing and is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

# bases prints the commits to compare with, one a line.
bases() {
  if [[ $# -gt 0 ]]; then
    git rev-parse --verify "$1^{commit}"
    return
  fi
  if [[ -n $(git status --porcelain -- proto buf.yaml) ]]; then
    git rev-parse --verify --quiet 'HEAD^{commit}' || true
  else
    git rev-parse --verify --quiet 'HEAD~1^{commit}' || true
  fi
  local tag
  if tag=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null); then git rev-parse "$tag^{commit}"; fi
}

# compare BASE checks against an unpacked copy, so that shallow clones and linked work trees behave as any other.
compare() {
  if ! git ls-tree -r --name-only "$1" -- proto | grep -q '\.proto$'; then
    echo "breaking: ${1:0:12} has no .proto file, nothing to hold"
    return
  fi
  local copy
  copy=$(mktemp -d)
  git archive "$1" -- proto buf.yaml | tar -x -C "$copy"
  .tools/bin/buf breaking --against "$copy" || { rm -rf "$copy"; echo "breaking: against ${1:0:12}" >&2; return 1; }
  rm -rf "$copy"
  echo "breaking: nothing broken against ${1:0:12}"
}

found=$(bases "$@")
[[ -n $found ]] || { echo "breaking: no earlier commit to compare with"; exit 0; }
for base in $found; do compare "$base"; done
