#!/bin/bash
# Owns how the pause program is built. Writes only into the folder that it is given.
# Arguments: the output folder, the version. Ends in the compiler itself, so that a signal stops it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
output=$1
exec rustc --edition 2021 -C opt-level=s -C panic=abort -C strip=symbols -C target-feature=+crt-static \
  -o "$output/pause" pause.rs
