#!/bin/bash
# Removes every trace of the cluster of this checkout: processes, namespaces, mounts, the cable to
# the host, cgroups, state. Keeps the build cache, which other clones use. Works on any remains.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for part in identity progress cgroup namespace; do
  # shellcheck source=/dev/null
  source "node/$part.sh"
done

[[ $(id -u) == 0 ]] || die "root is needed to end the cluster: sudo make cluster-down"
exec 9<"$CLUSTER_DIR"
flock --nonblock 9 || { say "waiting for another cluster command of this checkout ..."; flock 9; }
end_namespaces
remove_cgroups
rm -rf --one-file-system "$STATE"
rmdir "$STATE_ROOT" 2>/dev/null || true
say "cluster $ID: gone"
