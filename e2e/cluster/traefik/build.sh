#!/bin/bash
# Owns how Traefik is built. Writes only into the folder that it is given.
# Arguments: the output folder, the version.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
output=$1 version=$2
export CGO_ENABLED=0 GOFLAGS=
go build -trimpath -buildvcs=false -o "$output/traefik" \
  -ldflags "-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=$version" tool

# The kinds that it serves, of the very version that it knows, as that module ships them.
kinds=$(go list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)/config/crd/standard
for file in "$kinds"/*.yaml; do
  printf -- '---\n'
  cat "$file"
done >"$output/gateway-api.yaml"
