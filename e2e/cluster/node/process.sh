# shellcheck shell=bash
# Owns the processes of the cluster: every start and every signal goes through here. A pid file
# holds a pid and the time at which it was started, so that a recycled pid is never signalled.
# Runs inside the cluster's pid namespace; the callers decide what to run.

PIDS=$INSIDE/pids

started_at() { # PID: clock ticks since boot, field 22; the name in field 2 may contain spaces
  local stat fields
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  printf '%s\n' "${fields[19]}"
}

pid_of() { # NAME: prints the pid if that very process still runs
  local pid began state
  { read -r pid began <"$PIDS/$1"; } 2>/dev/null || return 1
  [[ $(started_at "$pid") == "$began" ]] || return 1
  { read -r state <"/proc/$pid/stat"; } 2>/dev/null || return 1
  state=${state##*) }
  [[ $state != Z* ]] || return 1
  printf '%s\n' "$pid"
}

running() { pid_of "$1" >/dev/null; }

start() { # NAME COMMAND...: in the background, in a session of its own
  local name=$1 pid
  shift
  running "$name" && return 0
  mkdir -p "$PIDS" /var/log/components
  setsid "$@" >>"/var/log/components/$name.log" 2>&1 </dev/null &
  pid=$!
  printf '%s %s\n' "$pid" "$(started_at "$pid")" >"$PIDS/$name.new"
  mv "$PIDS/$name.new" "$PIDS/$name"
}

signal() { # NAME SIGNAL
  local pid
  pid=$(pid_of "$1") || return 0
  kill -s "$2" "$pid" 2>/dev/null || true
}

stop() { # NAME: politely, then not
  local i
  signal "$1" CONT
  signal "$1" TERM
  for ((i = 0; i < 100; i++)); do
    running "$1" || break
    sleep 0.1
  done
  finish "$1"
}

finish() { # NAME: at once, as a crash would
  local i
  signal "$1" KILL
  for ((i = 0; i < 100; i++)); do
    running "$1" || break
    sleep 0.05
  done
  rm -f "$PIDS/$1"
}
