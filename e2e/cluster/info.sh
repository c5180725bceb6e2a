#!/bin/bash
# Prints the shell lines by which a shell uses the cluster of this checkout, for `eval`. They hold
# as long as the cluster lives. Must print nothing else.
set -euo pipefail
# shellcheck source=SCRIPTDIR/node/identity.sh
source "$(dirname "${BASH_SOURCE[0]}")/node/identity.sh"

address=$(cat "$STATE/address" 2>/dev/null || true)
printf 'export KUBECONFIG=%q\n' "$STATE/kubeconfig"
# shellcheck disable=SC2016  # the caller's shell expands it
printf 'export PATH=%q:"$PATH"\n' "$STATE/bin"
printf 'export SLUICE_CLUSTER_ID=%q\n' "$ID"
printf 'export SLUICE_CLUSTER_STATE=%q\n' "$STATE"
printf 'export SLUICE_PROMETHEUS_URL=%q\n' "http://$address:9090"
printf 'export SLUICE_SCRAPE_INTERVAL=%q\n' "$SCRAPE_INTERVAL"
printf 'export SLUICE_GATEWAY_URL=%q\n' "http://$address:8000"
printf 'export SLUICE_AUDIT_LOG=%q\n' "$STATE/audit.log"
