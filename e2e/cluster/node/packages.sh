# shellcheck shell=bash
# Owns what the machine must have: root, Go, Rust, and a few programs that Debian packages. Installs
# only what is missing, removes nothing and starts no service.

check_machine() {
  local minor
  [[ $(id -u) == 0 ]] || die "root is needed for namespaces and cgroups: sudo -E env PATH=\"\$PATH\" make cluster"
  command -v go >/dev/null || die "Go is missing (1.26 or newer, it builds Kubernetes): see https://go.dev/doc/install"
  command -v rustc >/dev/null || die "Rust is missing (rustc and cargo): see https://rustup.rs"
  command -v cc >/dev/null || die "a C linker is missing (Rust needs one): apt-get install gcc libc6-dev"
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  # An older one can fetch the newer by itself, unless it is told not to.
  ((${minor:-0} >= 26)) || [[ ${minor:-0} -ge 21 && $(go env GOTOOLCHAIN) != local ]] ||
    die "Go is too old ($(go env GOVERSION)), 1.26 or newer is needed: see https://go.dev/doc/install"
}

install_packages() {
  local missing=()
  command -v containerd >/dev/null && command -v ctr >/dev/null || missing+=(containerd)
  command -v runc >/dev/null || missing+=(runc)
  command -v iptables >/dev/null || missing+=(iptables)
  command -v ip >/dev/null || missing+=(iproute2)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v nsenter >/dev/null && command -v setpriv >/dev/null || missing+=(util-linux)
  [[ -x /usr/lib/cni/ptp ]] || missing+=(containernetworking-plugins)
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || die "missing: ${missing[*]} (this installs them by itself only where there is apt-get)"
  mkdir -p "$CACHE"
  step "installing ${missing[*]} with apt-get" "$CACHE/apt.log" apt_install "${missing[@]}"
}

apt_install() {
  local quiet
  # Packages of daemons start and enable them; ours run in the cluster only, so the programs that
  # would do it are replaced by a no-op for this one call.
  quiet=$(mktemp -d)
  ln -s /bin/true "$quiet/deb-systemd-invoke"
  ln -s /bin/true "$quiet/deb-systemd-helper"
  ln -s /bin/true "$quiet/invoke-rc.d"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get install --yes --no-remove --no-install-recommends \
    -o DPkg::Path="$quiet:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
  rm -rf "$quiet"
}
