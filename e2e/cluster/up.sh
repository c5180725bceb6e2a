#!/bin/bash
# Brings the cluster of this checkout up, or finds it up, and prints the shell lines that use it.
# Owns the order of the steps; each step lives in node/. Standard output carries nothing but those
# lines. SLUICE=0 leaves out install.sh, which puts Sluice itself into the cluster.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for part in identity progress packages build cgroup subnet namespace; do
  # shellcheck source=/dev/null
  source "node/$part.sh"
done

main() {
  check_machine
  install_packages
  build kubernetes "about 6 minutes on 2 cores"
  build etcd "half a minute"
  build prometheus "about 5 minutes on 2 cores"
  build traefik "about 7 minutes"
  build pause "a second"
  only_one_at_a_time
  if ! healthy; then
    end_namespaces
    remove_cgroups
    rm -rf --one-file-system "$STATE"
    create
  fi
  if [[ ${SLUICE:-1} != 0 && -x install.sh ]]; then install_sluice; fi
}

# The lock is the folder of these scripts: one for each checkout, and nothing to clean up. It is
# taken after the builds, so that cluster-down never waits for one.
only_one_at_a_time() {
  exec 9<"$CLUSTER_DIR"
  flock --nonblock 9 || { say "waiting for another cluster command of this checkout ..."; flock 9; }
}

healthy() { # a cluster that was once complete; mends it by starting what a test has stopped
  [[ -e $STATE/complete ]] && init_pid >/dev/null || return 1
  [[ $(<"$STATE/complete") == "$(made_of)" ]] ||
    say "the scripts have changed since this cluster was made; make cluster-down, then cluster, renews it"
  component resume "${COMPONENTS[@]}"
  component start etcd containerd kube-apiserver
  await 120 "the apiserver" ready_apiserver
  component start "${COMPONENTS[@]}"
  await 120 "the node" ready_node
  await 60 "Prometheus" ready_prometheus
  await 60 "the Gateway" ready_gateway
}

create() {
  local began=$SECONDS
  say "starting cluster $ID ..."
  mkdir -p "$STATE_ROOT"
  mkdir -m 0711 "$STATE"
  mkdir "$STATE"/{log,bin,config,config/cni,pids}
  create_namespaces
  create_cgroups
  exec {subnets}<"$STATE_ROOT"
  flock "$subnets"
  connect_host
  refuse_unknown_services
  exec {subnets}<&-
  configure
  component start etcd containerd
  component start kube-apiserver
  await 120 "the apiserver" ready_apiserver
  say "control plane: ready after $((SECONDS - began)) s"
  kubectl apply --filename "$STATE/config/monitoring.yaml" >"$STATE/log/kinds.log"
  kubectl create --filename "$STATE/programs/gateway-api.yaml" >>"$STATE/log/kinds.log"
  kubectl wait crd --all --for condition=Established --timeout 30s >>"$STATE/log/kinds.log"
  kubectl apply --filename "$STATE/config/gateway.yaml" >>"$STATE/log/kinds.log"
  component start "${COMPONENTS[@]}"
  ./image.sh "$STATE/pause.tar" sluice.test/pause:1 /pause "pause=$(built pause)/pause"
  await 120 "containerd" ./load.sh "$STATE/pause.tar"
  await 120 "the node" ready_node
  await 60 "Prometheus" ready_prometheus
  await 60 "the Gateway" ready_gateway
  await 120 "the first service account" kubectl -n default get serviceaccount default
  made_of >"$STATE/complete"
  say "cluster $ID: ready after $((SECONDS - began)) s"
}

# What the cluster was made of, so that a later call can say that it is outdated.
made_of() { cat node/* pause/* config/*.* config/cni/* ./*/go.mod | sha256sum; }

configure() {
  local file
  adopt kubernetes
  adopt etcd
  adopt prometheus
  adopt traefik
  ln -s ../programs/kubectl "$STATE/bin/kubectl"
  : >"$STATE/resolv.conf"
  for file in config/*.* config/cni/*; do
    sed -e "s|@CGROUP@|$CGROUP|g" -e "s|@ADDRESS@|$(<"$STATE/address")|g" \
      -e "s|@SCRAPE_INTERVAL@|$SCRAPE_INTERVAL|g" "$file" >"$STATE/$file"
  done
  bash node/pki.sh "$STATE/pki" "$(<"$STATE/address")" "$NODE_NAME"
  install -m 0600 "$STATE/pki/admin.kubeconfig" "$STATE/kubeconfig"
  # Under sudo the cluster is for the one who called it.
  if [[ -n ${SUDO_UID:-} ]]; then chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$STATE/kubeconfig"; fi
}

component() { ./component.sh "$@"; }
kubectl() { "$STATE/bin/kubectl" --kubeconfig "$STATE/kubeconfig" "$@"; }
ready_apiserver() { kubectl get --raw /readyz --request-timeout 2s; }
ready_node() { kubectl wait node "$NODE_NAME" --for condition=Ready --timeout 2s; }
ready_gateway() {
  kubectl --namespace traefik wait gateway sluice --for condition=Programmed --timeout 2s
}
# Through its Service, as a pod asks it.
ready_prometheus() {
  # shellcheck disable=SC2016  # the shell inside expands it
  ./enter timeout 2 bash -c 'exec 3<>/dev/tcp/10.96.0.90/9090
    printf "GET /-/ready HTTP/1.0\r\n\r\n" >&3
    read -r _ code _ <&3 && [[ $code == 200 ]]'
}

await() { # SECONDS WHAT COMMAND...: until it succeeds
  local limit=$((SECONDS + $1)) what=$2 output
  shift 2
  until output=$("$@" 2>&1); do
    ((SECONDS < limit)) || die "$what did not come up: $output (logs: $STATE/log/components)"
    sleep 0.1
  done
}

install_sluice() {
  local lines
  lines=$(./info.sh)
  (
    eval "$lines"
    exec 9<&-
    ./install.sh
  )
}

# Only now, and only these lines, to standard output.
main >&2
./info.sh
