#!/bin/bash
# Adds nodes without a kubelet, for tests of scale: kwok says that they are ready and that their
# pods run. They are tainted, so that only pods which tolerate it land there.
#
#   kwok.sh N      N such nodes altogether; 0 removes them and stops kwok
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for part in identity progress build namespace; do
  # shellcheck source=/dev/null
  source "node/$part.sh"
done
[[ ${1:-} =~ ^[0-9]+$ ]] || die "usage: $0 N"
wanted=$1
kubectl() { "$STATE/bin/kubectl" --kubeconfig "$STATE/kubeconfig" "$@"; }

node() { # NUMBER
  cat <<YAML
---
apiVersion: v1
kind: Node
metadata:
  name: kwok-$1
  labels: {type: kwok, kubernetes.io/hostname: kwok-$1, kubernetes.io/os: linux}
  annotations: {kwok.x-k8s.io/node: fake}
spec:
  taints: [{key: kwok.x-k8s.io/node, value: fake, effect: NoSchedule}]
status:
  allocatable: {cpu: "32", memory: 256Gi, pods: "250"}
  capacity: {cpu: "32", memory: 256Gi, pods: "250"}
YAML
}

init_pid >/dev/null || die "the cluster is not running; start it with: make cluster"
build kwok "a minute and a half"
adopt kwok
((wanted == 0)) || ./component.sh start kwok
mapfile -t present < <(kubectl get nodes --selector type=kwok --output name)
for name in "${present[@]}"; do
  ((${name#node/kwok-} < wanted)) || kubectl delete "$name" >&2
done
if ((wanted > 0)); then
  for ((n = 0; n < wanted; n++)); do node "$n"; done | kubectl apply --filename - >/dev/null
  kubectl wait node --selector type=kwok --for condition=Ready --timeout 60s >&2
else
  ./component.sh stop kwok
fi
