#!/usr/bin/env bash
# Plays a group of the behaviour tests. Side by side on two cores a wait may run out, so what failed
# is played once more, alone, and has to hold then; both runs are shown, and a second failure counts.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

play() { cargo test --workspace --locked --test behaviour -- "$@"; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if play "$@" 2>&1 | tee "$log"; then exit 0; fi
mapfile -t failed < <(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$log")
if ((${#failed[@]} == 0)); then exit 1; fi
echo "once more, alone: ${failed[*]}"
play --exact --test-threads 1 "${failed[@]}"
