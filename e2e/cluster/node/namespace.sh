# shellcheck shell=bash
# Owns the cluster's namespaces as seen from the host: create, enter, end, and the one cable (a veth
# pair) by which the host reaches the apiserver. Must not know the components.

init_pid() { # the host's pid of the first process, if that very process still runs
  local pid began stat fields
  { read -r pid began <"$STATE/init.pid"; } 2>/dev/null || return 1
  { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[19]} == "$began" && ${fields[0]} != Z ]] || return 1
  printf '%s\n' "$pid"
}

# entry: sets ENTRY, the words before a command that runs it inside. It dies with its caller, which
# the kernel would not see to, because the caller lives in another pid namespace.
entry() {
  local pid
  pid=$(init_pid) || die "the cluster is not running; start it with: make cluster"
  ENTRY=(nsenter --target "$pid" --net --mount --pid --wd="$PWD" -- setpriv --pdeathsig KILL)
}

enter() {
  entry
  "${ENTRY[@]}" "$@"
}

create_namespaces() {
  local i
  setsid unshare --net --mount --pid --fork --propagation private \
    bash "$CLUSTER_DIR/node/init.sh" "$STATE" >"$STATE/log/init.log" 2>&1 </dev/null 9>&- &
  for ((i = 0; i < 100; i++)); do
    init_pid >/dev/null && return
    sleep 0.05
  done
  cat "$STATE/log/init.log" >&2
  die "the node's namespaces could not be created"
}

# Found by the path of its script, which names this checkout, so that a lost pid file loses nothing.
inits() {
  local file arg
  for file in /proc/[0-9]*/cmdline; do
    while IFS= read -r -d '' arg; do
      if [[ $arg == "$CLUSTER_DIR/node/init.sh" ]]; then
        file=${file#/proc/}
        printf '%s\n' "${file%/cmdline}"
        break
      fi
    done <"$file"
  done 2>/dev/null
  return 0
}

end_namespaces() {
  local i pid
  for ((i = 0; i < 600; i++)); do
    [[ -n $(inits) ]] || break
    for pid in $(inits); do kill -KILL "$pid" 2>/dev/null || true; done
    sleep 0.1
  done
  # It goes with the namespace, a little later; a new cluster must not meet it.
  ip link delete "$VETH" 2>/dev/null || true
}

connect_host() { # writes STATE/address: the node's address, which the host can reach
  local pid base
  pid=$(init_pid)
  base=$(free_subnet)
  ip link add "$VETH" type veth peer name "$NODE_VETH" netns "$pid"
  ip address add "$base.1/30" dev "$VETH"
  ip link set "$VETH" up
  nsenter --target "$pid" --net -- ip address add "$base.2/30" dev "$NODE_VETH"
  nsenter --target "$pid" --net -- ip link set "$NODE_VETH" up
  # Service addresses need some route before kube-proxy rewrites them.
  nsenter --target "$pid" --net -- ip route add 10.96.0.0/16 dev "$NODE_VETH"
  # What pods ask of this machine comes from the node: this machine knows no way to a pod.
  nsenter --target "$pid" --net -- \
    iptables -t nat -A POSTROUTING -s 10.88.0.0/16 -o "$NODE_VETH" -d "$base.1" -j MASQUERADE
  printf '%s\n' "$base.2" >"$STATE/address"
}

# A Service address without a Service (cluster DNS is one: there is none) is refused at once, where
# kube-proxy leaves it to time out.
refuse_unknown_services() {
  local chain
  for chain in OUTPUT FORWARD; do
    enter iptables --append "$chain" --destination 10.96.0.0/16 --jump REJECT
  done
}
