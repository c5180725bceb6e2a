#!/bin/bash
# Owns how etcd is built. Writes only into the folder that it is given.
# Arguments: the output folder, the version. Ends in the compiler itself, so that a signal stops it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
output=$1
export CGO_ENABLED=0 GOFLAGS=
go mod download
exec go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$output/etcd" tool
