#!/bin/bash
# Puts Sluice into the running cluster of this checkout as a user would: static programs, images,
# `kubectl apply -k` of manifests/, and a wait until it works. Ends with kubectl-sluice on the PATH
# that info.sh exports. The double of the CloneSet controller comes beside it. Run by up.sh; may be
# run again at any time, and is quick when nothing changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for part in identity progress; do
  # shellcheck source=/dev/null
  source "node/$part.sh"
done

NAMESPACE=sluice-system
# The test application's name is the tests' own (e2e/src/app.rs).
APP=docker.io/library/sluice-testapp:e2e
# The same under other bytes: what an update in place needs to see an image change.
TWIN=docker.io/library/sluice-testapp:twin
TARGET=$(rustc -vV | sed -n 's/^host: //p')
PROGRAMS=${CARGO_TARGET_DIR:-$CHECKOUT/target}/$TARGET/release

main() {
  local began=$SECONDS controller webhook double
  compile
  mkdir -p "$STATE/images"
  controller=$(image controller "sluice.test/controller")
  webhook=$(image webhook "sluice.test/webhook")
  double=$(image cloneset-double "sluice.test/cloneset-double")
  image testapp "$APP" >/dev/null
  image testapp "$TWIN" twin >/dev/null
  install -m 0755 "$PROGRAMS/kubectl-sluice" "$STATE/bin/kubectl-sluice"
  apply "$controller" "$webhook"
  apply_double "$double"
  ready
  say "Sluice: ready after $((SECONDS - began)) s"
}

# An explicit target keeps the flag away from build scripts and procedural macros.
compile() {
  export RUSTFLAGS='-C target-feature=+crt-static'
  step "building Sluice (minutes the first time)" "$STATE/log/cargo.log" \
    nice cargo build --manifest-path "$CHECKOUT/Cargo.toml" --locked --release --target "$TARGET" \
    --package controller --package webhook --package cli --package e2e --bins
}

# image PROGRAM REF [NAME]: loads the program as an image in which it has that name, unless this
# very one is loaded; prints the image's name.
# Without a tag of its own the image gets its content's, so that new content is a new template.
image() {
  local program=$PROGRAMS/$1 ref=$2 name=${3:-$1} digest mark
  digest=$(sha256sum "$program" | cut -c1-12)
  [[ ${ref##*/} == *:* ]] || ref=$ref:$digest
  mark=$STATE/images/$name-$digest
  if [[ ! -e $mark ]]; then
    ./image.sh "$STATE/images/$name.tar" "$ref" "/$name" "$name=$program"
    ./load.sh "$STATE/images/$name.tar" >&2
    rm -f "$STATE/images/$name"{.tar,-*}
    touch "$mark"
  fi
  printf '%s\n' "$ref"
}

apply() { # CONTROLLER-IMAGE WEBHOOK-IMAGE
  local overlay=$STATE/overlay
  mkdir -p "$overlay"
  cat >"$overlay/kustomization.yaml" <<YAML
resources: [$(realpath --relative-to "$overlay" "$CHECKOUT/manifests")]
images:
- {name: sluice.dev/controller, newName: ${1%:*}, newTag: ${1##*:}}
- {name: sluice.dev/webhook, newName: ${2%:*}, newTag: ${2##*:}}
YAML
  kubectl apply --kustomize "$overlay" >"$STATE/log/apply.log" || die "kubectl apply failed"
}

apply_double() { # IMAGE
  local config=$CHECKOUT/e2e/cluster/config
  kubectl apply --server-side --force-conflicts --filename "$config/cloneset-crd.yaml" \
    >>"$STATE/log/apply.log" || die "kubectl apply of the CloneSet CRD failed"
  sed "s|@IMAGE@|$1|" "$config/cloneset-double.yaml" | kubectl apply --filename - \
    >>"$STATE/log/apply.log" || die "kubectl apply of the CloneSet double failed"
}

ready() {
  kubectl wait crd/{rollouts,metricproviders,hookproviders,notifiers}.sluice.dev crd/clonesets.apps.kruise.io \
    --for condition=Established --timeout 30s >&2
  kubectl apply --filename "$CHECKOUT/e2e/cluster/config/metric-provider.yaml" >&2
  for deployment in sluice-controller sluice-webhook; do
    kubectl --namespace $NAMESPACE rollout status "deployment/$deployment" --timeout 120s >&2 ||
      explain "$deployment"
  done
  kubectl --namespace kruise-system rollout status deployment/cloneset-double --timeout 60s >&2 ||
    die "the CloneSet double does not come up: see it above"
  for kind in mutating validating; do
    kubectl wait "${kind}webhookconfiguration/sluice" --timeout 30s \
      --for 'jsonpath={.webhooks[0].clientConfig.caBundle}' >&2 || explain sluice-controller
  done
  answers || explain sluice-webhook
}

# The webhook has the last word on whether it is reached: it signs who asks on a request.
answers() {
  local i
  for ((i = 0; i < 100; i++)); do
    if kubectl create --dry-run=server --output yaml --filename - 2>&1 <<YAML | grep -q '"by":'; then
apiVersion: sluice.dev/v1alpha1
kind: Rollout
metadata:
  name: install-probe
  namespace: default
  annotations: {sluice.dev/request: '{"id":"1","verb":"pause","revision":"0000000000"}'}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: install-probe}
  strategy: {batches: [{replicas: 100%}]}
YAML
      return
    fi
    sleep 0.1
  done
  return 1
}

explain() { # DEPLOYMENT
  kubectl --namespace $NAMESPACE get pods >&2 || true
  kubectl --namespace $NAMESPACE logs "deployment/$1" --all-pods --tail 20 >&2 || true
  die "Sluice does not come up: see $1 above"
}

main
