#!/bin/bash
# Owns how the programs of Kubernetes are built. Writes only into the folder that it is given.
# Arguments: the output folder, the version. Ends in the compiler itself, so that a signal stops it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
output=$1 version=$2
export CGO_ENABLED=0 GOFLAGS=
go mod download
# Unless it is told, Kubernetes calls itself v0.0.0-master.
exec go build -trimpath -buildvcs=false -o "$output/" \
  -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version -X k8s.io/client-go/pkg/version.gitVersion=$version" tool
