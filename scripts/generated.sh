#!/usr/bin/env bash
# Fails when the committed generated code is not what the .proto files generate today. The work tree is left alone: the
# code is generated beside it and compared, so that this can run on uncommitted work.
set -euo pipefail
cd "$(dirname "$0")/.."

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

# list ROOT prints the generated files below ROOT/proto.
list() { (cd "$1" && find proto -name '*.pb.go' -o -name '*.pb.gw.go' -o -name '*.swagger.json') | sort; }

.tools/bin/buf generate --output "$fresh"

stale=$(diff <(list .) <(list "$fresh") | grep '^[<>]' || true)
while read -r file; do
  cmp -s "$file" "$fresh/$file" || stale+=$'\n'"! $file"
done < <(comm -12 <(list .) <(list "$fresh"))

if [[ -n $stale ]]; then
  echo "generated: not what the .proto files say; run 'make generate' and commit (< left over, > missing, ! differs):" >&2
  echo "$stale" >&2
  exit 1
fi
