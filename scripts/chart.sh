#!/usr/bin/env bash
# Checks the Helm chart where helm is there (.tools/bin by `scripts/tools.sh helm`, or PATH): lints it, renders what must
# render, and sees that what must be refused is refused.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly chart=charts/fundmatch
helm=.tools/bin/helm
[[ -x $helm ]] || helm=$(command -v helm) || { echo "chart: helm is not there, the chart was not checked"; exit 0; }

"$helm" lint --strict --quiet "$chart" --set tls.secretName=fundmatch-tls
for values in "$chart"/ci/*.yaml; do
  "$helm" template check "$chart" --values "$values" >/dev/null
done

# refused MESSAGE ARGUMENT...: the chart must not render, and must say why.
refused() {
  local expected=$1 output
  shift
  if output=$("$helm" template check "$chart" "$@" 2>&1); then
    echo "chart: rendered, but must be refused: $*" >&2
    exit 1
  fi
  grep -q "$expected" <<<"$output" || { echo "chart: refused without saying '$expected': $output" >&2; exit 1; }
}

refused "tls.secretName"
refused "replicaCount" --set tls.secretName=t --set replicaCount=2
readonly bank=postgres://fundmatch@db/bank
refused "networkPolicy.egress" --set tls.secretName=t --set "store.postgres.url=$bank"
refused "store.postgres.url\|/store/postgres/url" --set tls.secretName=t --set "store.postgres.url=postgres://fundmatch:secret@db/bank"
"$helm" template check "$chart" --values "$chart/ci/postgres.yaml" | grep -q "kind: StatefulSet"
refused "unknownKey" --set tls.secretName=t --set unknownKey=1
"$helm" template check "$chart" --values "$chart/ci/evaluation.yaml" | grep -q -- '"--shard=$(JOB_COMPLETION_INDEX)/7"'
refused "evaluation.run" --set tls.secretName=t --set evaluation.enabled=true
refused "evaluation.logClaim" --set tls.secretName=t --set evaluation.enabled=true --set evaluation.run=a
refused "evaluation.log names" --set tls.secretName=t --set evaluation.enabled=true --set evaluation.run=a --set evaluation.logClaim=l --set evaluation.resultClaim=r
# The Service must not find the jobs: none of their pods has the server's name.
if "$helm" template check "$chart" --values "$chart/ci/evaluation.yaml" --show-only templates/evaluation.yaml | grep -q "app.kubernetes.io/name: fundmatch$"; then
  echo "chart: the jobs have the labels that the Service selects" >&2
  exit 1
fi
echo "chart: checked"
