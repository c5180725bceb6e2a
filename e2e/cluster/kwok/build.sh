#!/bin/bash
# Owns how kwok is built. Writes only into the folder that it is given.
# Arguments: the output folder, the version.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
output=$1 version=$2
export CGO_ENABLED=0 GOFLAGS=
go mod download
go build -trimpath -buildvcs=false -ldflags "-s -w -X sigs.k8s.io/kwok/pkg/consts.Version=$version" -o "$output/kwok" tool

# What its nodes and pods do, as the module ships it.
stages=$(go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage
for file in "$stages"/node/{fast/node-initialize,heartbeat-with-lease/node-heartbeat-with-lease}.yaml \
  "$stages"/pod/fast/pod-{ready,complete,delete}.yaml; do
  printf -- '---\n'
  cat "$file"
done >"$output/stages.yaml"
