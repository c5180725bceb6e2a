#!/bin/bash
# Owns the command line of every component. Runs inside the cluster's namespaces (component.sh and
# up.sh call it through `enter`); leaves pids and signals to process.sh.
# Arguments: what to do, the names of the components.
set -euo pipefail
# shellcheck source=SCRIPTDIR/identity.sh
source "$(dirname "${BASH_SOURCE[0]}")/identity.sh"
# shellcheck source=SCRIPTDIR/process.sh
source "$CLUSTER_DIR/node/process.sh"
BIN=$INSIDE/programs
PKI=$INSIDE/pki
CONFIG=$INSIDE/config

# shellcheck disable=SC2054  # the commas belong to the flags
command_of() { # NAME: sets COMMAND
  local address
  address=$(<"$INSIDE/address")
  case $1 in
    # Nothing here has to survive a power cut, and syncing every write to disk is slow.
    etcd) COMMAND=("$BIN/etcd" --data-dir="$INSIDE/etcd" --unsafe-no-fsync --log-level=warn
      --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379
      --listen-peer-urls=http://127.0.0.1:2380) ;;
    containerd) COMMAND=(containerd --config "$CONFIG/containerd.toml") ;;
    kube-apiserver) COMMAND=("$BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379
      --bind-address=0.0.0.0 --secure-port=6443 --advertise-address="$address"
      --service-cluster-ip-range=10.96.0.0/16 --allow-privileged --profiling=false
      --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction
      --feature-gates=MutatingAdmissionPolicy=true
      --runtime-config=admissionregistration.k8s.io/v1beta1=true
      --client-ca-file="$PKI/ca.crt"
      --tls-cert-file="$PKI/kube-apiserver.crt" --tls-private-key-file="$PKI/kube-apiserver.key"
      --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP
      --kubelet-client-certificate="$PKI/admin.crt" --kubelet-client-key="$PKI/admin.key"
      --requestheader-client-ca-file="$PKI/ca.crt" --requestheader-allowed-names=aggregator
      --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group
      --requestheader-extra-headers-prefix=X-Remote-Extra-
      --proxy-client-cert-file="$PKI/aggregator.crt" --proxy-client-key-file="$PKI/aggregator.key"
      --service-account-issuer=https://kubernetes.default.svc.cluster.local
      --service-account-key-file="$PKI/service-accounts.pub"
      --service-account-signing-key-file="$PKI/service-accounts.key"
      --audit-policy-file="$CONFIG/audit.yaml" --audit-log-path="$INSIDE/audit.log"
      --audit-log-maxsize=1024 --audit-log-maxbackup=1) ;;
    # The default rate limits (20 requests a second) would hide ours in tests of scale.
    kube-controller-manager) COMMAND=("$BIN/kube-controller-manager" --leader-elect=false
      --kubeconfig="$PKI/kube-controller-manager.kubeconfig" --profiling=false
      --authentication-kubeconfig="$PKI/kube-controller-manager.kubeconfig"
      --authorization-kubeconfig="$PKI/kube-controller-manager.kubeconfig"
      --service-account-private-key-file="$PKI/service-accounts.key" --root-ca-file="$PKI/ca.crt"
      --use-service-account-credentials --kube-api-qps=200 --kube-api-burst=400) ;;
    kube-scheduler) COMMAND=("$BIN/kube-scheduler" --config="$CONFIG/kube-scheduler.yaml"
      --authentication-kubeconfig="$PKI/kube-scheduler.kubeconfig"
      --authorization-kubeconfig="$PKI/kube-scheduler.kubeconfig") ;;
    kubelet) COMMAND=("$BIN/kubelet" --config="$CONFIG/kubelet.yaml" --kubeconfig="$PKI/kubelet.kubeconfig"
      --root-dir="$INSIDE/kubelet" --hostname-override="$NODE_NAME" --node-ip="$address"
      --housekeeping-interval=30s) ;;
    kube-proxy) COMMAND=("$BIN/kube-proxy" --config="$CONFIG/kube-proxy.yaml") ;;
    # The last to get the processor: what is measured must not be slowed by the measuring. A second
    # between two looks at a changed list of targets, instead of five.
    prometheus) COMMAND=(nice -n 10 "$BIN/prometheus" --config.file="$CONFIG/prometheus.yaml"
      --web.listen-address=":9090" --storage.tsdb.path="$INSIDE/prometheus"
      --storage.tsdb.no-lockfile --scrape.discovery-reload-interval=1s --log.level=warn) ;;
    # Its two kinds of routes end at one port; the other one has its metrics, /ping and /api. That a
    # change takes up to two seconds until it is in effect is Traefik's default.
    traefik) COMMAND=(env KUBECONFIG="$PKI/traefik.kubeconfig" "$BIN/traefik"
      --entrypoints.web.address=:8000 --entrypoints.traefik.address=:8082 --ping --api.insecure
      --providers.kubernetesgateway --providers.kubernetesgateway.statusaddress.ip="$address"
      --providers.kubernetesingressnginx --providers.kubernetesingressnginx.httpentrypoint=web
      --providers.kubernetesingressnginx.publishstatusaddress="$address"
      --metrics.prometheus --metrics.prometheus.addserviceslabels
      --global.checknewversion=false --api.dashboard=false --log.nocolor --log.level=INFO) ;;
    # Not one of COMPONENTS: kwok.sh starts it when a test wants nodes without a kubelet.
    kwok) COMMAND=("$BIN/kwok" --kubeconfig="$PKI/admin.kubeconfig" --config="$BIN/stages.yaml"
      --manage-all-nodes=false --manage-nodes-with-label-selector=type=kwok
      --cidr=10.89.0.1/16 --node-ip=10.89.0.1 --node-lease-duration-seconds=40) ;;
    *) printf 'no such component: %s (one of: %s kwok)\n' "$1" "${COMPONENTS[*]}" >&2; exit 2 ;;
  esac
}

# Pods, watches and log files are many; the hard limit is what the user may have.
ulimit -Sn "$(ulimit -Hn)"

verb=$1
shift
for name in "$@"; do
  command_of "$name"
  case $verb in
    start) start "$name" "${COMMAND[@]}" ;;
    stop) stop "$name" ;;
    kill) finish "$name" ;;
    restart) stop "$name"; start "$name" "${COMMAND[@]}" ;;
    pause) signal "$name" STOP ;;
    resume) signal "$name" CONT ;;
    pid) pid_of "$name" ;;
    status) if running "$name"; then printf '%-24s running\n' "$name"; else printf '%-24s stopped\n' "$name"; fi ;;
    *) printf 'no such action: %s (one of: start stop kill restart pause resume pid status)\n' "$verb" >&2; exit 2 ;;
  esac
done
