#!/bin/bash
# Puts image archives into the cluster's containerd, where the kubelet finds them. Pods that use
# them need imagePullPolicy Never or IfNotPresent: there is no registry.
#
#   load.sh TAR...
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
(($#)) || { printf 'usage: %s TAR...\n' "$0" >&2; exit 2; }
for archive in "$@"; do
  "$here/enter" ctr --namespace k8s.io images import - <"$archive" >&2
done
