# shellcheck shell=bash
# Owns the choice of the four addresses between host and cluster. Takes them from the range that is
# set aside for benchmarks of network devices (198.18.0.0/15), then from a seldom used private one;
# must not pick a subnet that the host already has an address in or a route to.

free_subnet() { # prints the first three octets and a base, such as 198.18.7 with hosts .1 and .2
  local seed i n candidate
  seed=$((16#${ID:0:4}))
  for ((i = 0; i < 4096; i++)); do
    n=$(((seed + i * 257) % 512))
    ((i < 512)) && candidate="198.$((18 + n / 256)).$((n % 256))" || candidate="10.213.$((n % 256))"
    if subnet_is_free "$candidate.0/30"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  die "no free subnet for the cable between this machine and the cluster"
}

subnet_is_free() { # no route covers it but the default one, none lies within it
  ! ip -4 route show match "$1" table all | grep -qv '^default' &&
    ! ip -4 route show root "$1" table all | grep -q .
}
