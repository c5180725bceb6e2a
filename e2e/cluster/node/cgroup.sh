# shellcheck shell=bash
# Owns the cgroup under which all pods of the cluster live, in every hierarchy of the machine
# (version 1, 2 or both). Must not touch a cgroup outside of it.

hierarchies() { # the mount points of all cgroup file systems
  awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts
}

create_cgroups() {
  local mount file
  for mount in $(hierarchies); do
    mkdir -p "$mount/$CGROUP"
    # In version 1 a new cpuset is empty, and nothing can run in it.
    for file in cpuset.cpus cpuset.mems; do
      if [[ -e $mount/cgroup.clone_children && -e $mount/$file ]]; then
        cat "$mount/$file" >"$mount/$CGROUP/$file"
      fi
    done
    # On a node all pods together weigh more than all daemons. Here the daemons, and whatever else
    # the machine does, weigh one by one: left at its default, the group of all pods would weigh as
    # much as a single compiler.
    if [[ -e $mount/$CGROUP/cpu.shares ]]; then echo 16384 >"$mount/$CGROUP/cpu.shares"; fi
    if [[ -e $mount/$CGROUP/cpu.weight ]]; then echo 1600 >"$mount/$CGROUP/cpu.weight"; fi
  done
}

remove_cgroups() {
  local mount i pid
  for mount in $(hierarchies); do
    for ((i = 0; i < 100; i++)); do
      [[ -d $mount/$CGROUP ]] || break
      find "$mount/$CGROUP" -name cgroup.procs -exec cat {} + 2>/dev/null | while read -r pid; do
        kill -KILL "$pid" 2>/dev/null || true
      done
      find "$mount/$CGROUP" -depth -type d -exec rmdir {} \; 2>/dev/null || true
      [[ -d $mount/$CGROUP ]] && sleep 0.1
    done
    [[ ! -d $mount/$CGROUP ]] || die "the cgroup $mount/$CGROUP cannot be removed: it is in use"
  done
}
