# shellcheck shell=bash
# Owns the programs built from source: what is built, how, and the cache that all clones share. A
# folder of the cache is named after the version and everything that went into it, and is complete
# if it exists. Must not know how the programs are run.

# built NAME: the folder of the cache with NAME's programs. NAME is a folder next to node/.
built() {
  local version
  case $1 in
    kubernetes) version=$(module_version k8s.io/kubernetes) ;;
    etcd) version=$(module_version go.etcd.io/etcd/server/v3) ;;
    kwok) version=$(module_version sigs.k8s.io/kwok) ;;
    prometheus) version=$(module_version github.com/prometheus/prometheus) ;;
    traefik) version=$(module_version github.com/traefik/traefik/v3) ;;
    pause) version=1 ;;
  esac
  printf '%s/%s-%s-%s\n' "$CACHE" "$1" "$version" "$(
    find "$CLUSTER_DIR/$1" -type f | LC_ALL=C sort | xargs cat | sha256sum | cut -c1-8)"
}

module_version() { # MODULE: as the go.mod files of this folder pin it
  sed -n "s|^[[:space:]]*\(require \)\?$1 \(v[0-9.]*\).*|\2|p" "$CLUSTER_DIR"/*/go.mod | head -n 1
}

build() { # NAME HOW-LONG
  local name=$1 target lock
  target=$(built "$name")
  [[ -d $target ]] && return
  mkdir -p "$CACHE"
  exec {lock}>"$CACHE/$name.lock"
  if ! flock --nonblock "$lock"; then
    step "waiting for another build of $name on this machine" /dev/null flock "$lock"
  fi
  if [[ ! -d $target ]]; then
    # Left by a build that was killed; nobody else works on it while this holds the lock.
    rm -rf "$target.new"
    mkdir "$target.new"
    step "building $(basename "$target") from source, once ($2)" "$CACHE/$name.log" \
      nice bash "$CLUSTER_DIR/$name/build.sh" "$target.new" "$(cut -d- -f2 <<<"${target##*/}")"
    mv "$target.new" "$target"
  fi
  exec {lock}>&-
}

# adopt NAME: gives the cluster links of its own, so that it outlives a cleaned cache; copies, where
# the cache is on another disk.
adopt() {
  mkdir -p "$STATE/programs"
  cp --force --link "$(built "$1")"/* "$STATE/programs/" 2>/dev/null || cp --force "$(built "$1")"/* "$STATE/programs/"
}
