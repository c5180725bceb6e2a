#!/bin/bash
# Starts, stops and breaks single components of the cluster; the faults of the tests come from here.
#
#   component.sh ACTION NAME...
#   start stop restart      politely (SIGTERM)
#   kill                    as a crash does (SIGKILL); nothing starts it again but start
#   pause resume            SIGSTOP, SIGCONT
#   pid status              pid is the one inside the cluster's pid namespace
#
#   NAME: etcd containerd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy
#         prometheus traefik kwok
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
(($# >= 2)) || { sed -n '2,/^set/{/^#/s/^# \?//p}' "${BASH_SOURCE[0]}" >&2; exit 2; }
exec "$here/enter" bash "$here/node/components.sh" "$@" 9>&-
