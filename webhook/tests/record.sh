#!/bin/bash
# Records the reviews in tests/fixtures from a real apiserver: with KUBECONFIG set, run
#   webhook/tests/record.sh ADDRESS        an address of this machine that the apiserver can reach
# and then make the golden answers with UPDATE_FIXTURES=1 cargo test -p webhook. Needs jq.
# Everything happens in a namespace of its own, which is removed at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
address=${1:?usage: record.sh ADDRESS:PORT}
namespace=sluice-record
controller=system:serviceaccount:sluice-system:sluice-controller
scratch=$(mktemp -d)
trap 'kill "$recorder" || true; kubectl delete --wait=false mutatingwebhookconfiguration \
  "$namespace" || true; kubectl delete --wait=false namespace "$namespace" || true
  rm -rf "$scratch"' EXIT

cargo build -q -p webhook --example record
"${CARGO_TARGET_DIR:-../target}"/debug/examples/record "$scratch/new" "$address" >"$scratch/ca" &
recorder=$!
until [[ -s $scratch/ca ]]; do sleep 0.1; done

# The Deployment of a version; more lines of its spec may follow as arguments.
manifest() {
  local version=$1
  shift
  cat <<YAML
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: $namespace
  labels: {app: web, team: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
$(printf '  %s\n' "$@")
  template:
    metadata:
      labels: {app: web}
      annotations: {prometheus.io/scrape: "true"}
    spec:
      nodeSelector: {nowhere: "true"}
      containers:
      - name: web
        image: shop.example/web:$version
        ports: [{name: http, containerPort: 8080}]
        env: [{name: VERSION, value: "$version"}]
        readinessProbe: {httpGet: {path: /ready, port: http}}
        resources: {requests: {cpu: 10m, memory: 16Mi}}
YAML
}

# step NAME COMMAND...: keeps the reviews of the command as NAME.json, NAME-2.json, ..., without
# those that ask the same again (after a conflict).
step() {
  local name=$1 count=0 last="" file asks
  shift
  "$@"
  for file in "$scratch"/new/*.json; do
    asks=$(jq -c '.request.object | [.spec, .metadata.labels, .metadata.annotations]' "$file")
    if [[ $asks = "$last" ]]; then
      rm "$file"
      continue
    fi
    last=$asks count=$((count + 1))
    mv "$file" "tests/fixtures/$name$([[ $count = 1 ]] || echo "-$count").json"
  done
  ((count)) || echo "no review: $name" >&2
}
apply() { manifest "$@" | kubectl apply -f -; }
web() { kubectl -n "$namespace" get deployment web -o json; }
hold() { web | jq -r '.metadata.annotations["sluice.dev/hold"]'; }
# The controller's write: sets the annotation to its first argument, or removes it.
write_hold() {
  local patch='[{"op": "remove", "path": "/metadata/annotations/sluice.dev~1hold"}]'
  (($# == 0)) || patch=$(jq -cn --arg hold "$1" \
    '[{op: "add", path: "/metadata/annotations/sluice.dev~1hold", value: $hold}]')
  kubectl -n "$namespace" patch deployment web --as "$controller" --type json -p "$patch"
}
open_batch() {
  write_hold "$(hold | jq -c --argjson batch "$1" --argjson pods "$2" \
    '.batch = $batch | .target = {paused: false, maxSurge: 0, maxUnavailable: $pods}')"
}
barred() {
  write_hold "$(jq -cn --arg revision "$1" --argjson template "$2" \
    '{schema: 1, state: "barred", revision: $revision, why: "rejected", template: $template}')"
}
patch() { kubectl -n "$namespace" patch deployment web --type "$1" -p "$2"; }

kubectl create namespace "$namespace"
kubectl create clusterrolebinding "$namespace" --clusterrole cluster-admin --user "$controller" \
  --dry-run=client -o json | jq '.kind = "RoleBinding" | .metadata.namespace = $n' \
  --arg n "$namespace" | kubectl apply -f -
kubectl apply -f - <<YAML
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: $namespace}
webhooks:
- name: record.sluice.dev
  admissionReviewVersions: [v1]
  clientConfig: {url: "https://$address/mutate", caBundle: $(cat "$scratch/ca")}
  rules: [{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}]
  objectSelector: {matchLabels: {sluice.dev/armed: "true"}}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: $namespace}}
  matchConditions:
  - name: not-the-stock-controller
    expression: request.userInfo.username != 'system:serviceaccount:kube-system:deployment-controller'
  sideEffects: None
  timeoutSeconds: 5
  failurePolicy: Fail
YAML
apply v1 'minReadySeconds: 5'
kubectl -n "$namespace" wait deployment web --for jsonpath='{.status.observedGeneration}'=1
until [[ -n $(web | jq -r '.metadata.annotations["deployment.kubernetes.io/revision"] // ""') ]]
do sleep 0.2; done
step arm kubectl -n "$namespace" label deployment web --as "$controller" \
  sluice.dev/armed=true sluice.dev/rollout=web
stable=$(web | jq -c .spec.template)
rm -f tests/fixtures/*.json "$scratch"/new/*.json

step scale patch merge '{"spec": {"replicas": 6}}'
step dry-run kubectl apply --dry-run=server -f <(manifest v2 'minReadySeconds: 5')
step hold apply v2 'minReadySeconds: 5'
step first-batch open_batch 1 1
step change-projected apply v2 'minReadySeconds: 7' \
  'strategy: {rollingUpdate: {maxSurge: 2, maxUnavailable: 1}}'
step server-side kubectl apply --server-side --force-conflicts --field-manager flux \
  -f <(manifest v2 'minReadySeconds: 7' 'paused: false' 'progressDeadlineSeconds: 300')
step user-pause kubectl -n "$namespace" rollout pause deployment web
step user-resume kubectl -n "$namespace" rollout resume deployment web
step third-version kubectl -n "$namespace" rollout restart deployment web
step strip kubectl -n "$namespace" label deployment web sluice.dev/armed- sluice.dev/rollout-
step replace kubectl replace -f <(manifest v4 'minReadySeconds: 7')
step recreate patch merge '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}'
revision=$(hold | jq -r .revision)
step abort barred "$revision" "$stable"
step put-back apply v4 'minReadySeconds: 7'
step another-version apply v5 'minReadySeconds: 7'
step second-batch open_batch 2 3
step undo patch json "$(jq -cn --argjson template "$stable" \
  '[{op: "replace", path: "/spec/template", value: $template}]')"
step lift write_hold
step recreate-at-rest patch merge \
  '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}'
