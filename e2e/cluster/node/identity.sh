# shellcheck shell=bash
# Owns the names of one cluster: everything that a clone of the project creates on the machine is
# named after an id made from the path of the checkout, so that two clones never meet.
# Must not create or remove anything.

CLUSTER_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CHECKOUT=$(cd "$CLUSTER_DIR/../.." && pwd -P)
ID=$(printf %s "$CHECKOUT" | sha256sum | cut -c1-8)

# Fixed, and not under $HOME, so that `sudo make cluster-down` finds what `make cluster` left.
STATE_ROOT=/var/lib/sluice
STATE=$STATE_ROOT/$ID
CACHE=${SLUICE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sluice}

CGROUP=sluice-$ID     # the node's cgroup root, in every hierarchy
VETH=sl$ID            # the host's end; interface names have at most 15 characters
NODE_VETH=uplink      # the cluster's end, in its own network namespace
NODE_NAME=node        # the one real node
# shellcheck disable=SC2034  # read by the files that source this one
INSIDE=/run/sluice    # the state directory as the cluster's own mount namespace shows it

# shellcheck disable=SC2034
SCRAPE_INTERVAL=1s    # how often Prometheus asks a pod: a gate's answer in a test is seconds old

# Every name of a component that component.sh accepts, in the order of starting.
# shellcheck disable=SC2034
COMPONENTS=(etcd containerd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy prometheus
  traefik)

export CLUSTER_DIR CHECKOUT ID STATE_ROOT STATE CACHE CGROUP VETH NODE_VETH NODE_NAME
