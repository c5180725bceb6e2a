#!/bin/bash
# The first process of a cluster: owns its namespaces (network, mounts, pids). When it is killed the
# kernel ends every process, mount, bridge and firewall rule of the cluster with it, so nothing can
# be forgotten. It prepares what the namespaces see, then only reaps; it starts no component.
# Arguments: the state directory. Called by up.sh under unshare(1).
set -euo pipefail
state=$1

# /proc is still the host's here, and so is the pid that it shows for this shell.
read -r stat </proc/self/stat
read -ra fields <<<"${stat##*) }"
host_pid=${stat%% *} began=${fields[19]}

mount --make-rprivate /
mount -t proc proc /proc

# A /run of our own: sockets keep their short well-known names, and none is left on the host.
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/sluice /run/lock /run/netns /run/var-lib/upper /run/var-lib/work
mount --bind "$state" /run/sluice

# Kubernetes and CNI have fixed folders in /var/lib and /var/log; give them a private view.
mount -t overlay -o "lowerdir=/var/lib,upperdir=/run/var-lib/upper,workdir=/run/var-lib/work" overlay /var/lib
mount --bind /run/sluice "$state"
mkdir -p /run/sluice/log /run/sluice/containerd
mount --bind /run/sluice/log /var/log
# Where the disk cannot carry overlay layers (the machine is itself a container), memory does.
if [[ $(stat -f -c %T /run/sluice) == overlayfs ]]; then
  mount -t tmpfs tmpfs /run/sluice/containerd
fi

# The kubelet insists on these values and would write them for the whole machine: let it read that
# they are already so.
mkdir /run/tunables
tunable() {
  printf '%s\n' "$2" >"/run/tunables/${1//\//.}"
  mount --bind "/run/tunables/${1//\//.}" "/proc/sys/$1"
}
tunable vm/overcommit_memory 1
tunable vm/panic_on_oom 0
tunable kernel/panic 10
tunable kernel/panic_on_oops 1
tunable kernel/keys/root_maxkeys 1000000
tunable kernel/keys/root_maxbytes 25000000

ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward

printf '%s %s\n' "$host_pid" "$began" >"$state/init.pid.new"
mv "$state/init.pid.new" "$state/init.pid"

# Bash reaps every orphan that the kernel hands to it while it waits.
trap : TERM INT HUP
while :; do
  sleep 86400 &
  wait || true
done
