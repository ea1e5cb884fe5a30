#!/usr/bin/env bash
# Installs the pinned development tools into .tools/bin, which git ignores. Running it again costs and says nothing: a
# tool is left alone when its own build information names the pinned version and the current Go release.
#
# usage: scripts/tools.sh [NAME...]     (default: all; names: buf gofumpt golangci-lint helm)
#
# helm takes minutes to build and only `make lint`'s chart check uses it, so it is installed when named, not by default.
# One after the other on purpose: the go command keeps every core busy by itself, and two of them at once would compile
# the standard library twice.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly bin="$PWD/.tools/bin"

# name, package, module version
readonly pins="
gofumpt       mvdan.cc/gofumpt                                        v0.12.0
buf           github.com/bufbuild/buf/cmd/buf                         v1.75.0
golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint  v2.15.0
helm          helm.sh/helm/v4/cmd/helm                                v4.3.1
"

# current NAME PACKAGE VERSION: whether the installed program is the pinned one, built by this release of Go. A linter
# built by an older release refuses newer code, hence the second half.
current() {
  local info
  info=$(go version -m "$bin/$1" 2>/dev/null) || return 1
  grep -qE "[[:space:]]path[[:space:]]+$2\$" <<<"$info" &&
    grep -qE "[[:space:]]mod[[:space:]].*[[:space:]]$3([[:space:]]|\$)" <<<"$info" &&
    [[ $(head -n 1 <<<"$info") == *": $(release)"* ]]
}

# release prints the language release in use, go1.26 for go1.26.8.
release() { go env GOVERSION | grep -oE '^go[0-9]+\.[0-9]+'; }

# install NAME PACKAGE VERSION: from outside the module, whose go.mod must not bend a tool's dependencies.
install() {
  local started=$SECONDS
  (cd / && GOBIN="$bin" CGO_ENABLED=0 go install -trimpath "$2@$3")
  echo "tools: $1 $3 installed in $((SECONDS - started)) s"
}

main() {
  local wanted=("$@")
  [[ ${#wanted[@]} -gt 0 ]] || wanted=(gofumpt buf golangci-lint)
  mkdir -p "$bin"
  local name pin
  for name in "${wanted[@]}"; do
    pin=$(awk -v name="$name" '$1 == name' <<<"$pins")
    [[ -n $pin ]] || { echo "tools: unknown tool '$name', expected one of:" $(awk 'NF {print $1}' <<<"$pins") >&2; exit 2; }
    # shellcheck disable=SC2086 # the three columns of the table are three arguments
    current $pin || install $pin
  done
}

main "$@"
