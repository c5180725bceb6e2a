# shellcheck shell=bash
# Owns what the user sees while waiting: short lines on standard error, never on standard output,
# which belongs to the shell lines that `make cluster` prints.

say() { printf 'cluster: %s\n' "$*" >&2; }
die() { printf 'cluster: %s\n' "$*" >&2; exit 1; }

# step TEXT LOG COMMAND...: runs a long command with its output in LOG and shows for how long it
# has been running; when it fails, the end of LOG is shown.
step() {
  local text=$1 log=$2 began=$SECONDS shown=0 pid code=0
  shift 2
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  # A killed step must not leave its command running behind.
  trap 'kill '"$pid"' 2>/dev/null; exit 130' INT TERM
  say "$text ..."
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if [[ -t 2 ]]; then
      ((SECONDS == shown)) || printf '\rcluster: %s ... %s ' "$text" "$(clock $((SECONDS - began)))" >&2
      shown=$SECONDS
    elif ((SECONDS - began >= shown + 20)); then
      shown=$((SECONDS - began))
      say "$text ... $(clock "$shown")"
    fi
  done
  wait "$pid" || code=$?
  trap - INT TERM
  if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
  if ((code != 0)); then
    tail -n 20 "$log" >&2
    die "failed after $(clock $((SECONDS - began))): $text (whole output: $log)"
  fi
  say "$text: done in $(clock $((SECONDS - began)))"
}

clock() { printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); }
