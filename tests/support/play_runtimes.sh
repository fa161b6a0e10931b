#!/usr/bin/env bash
# Plays on each runtime in an environment of its own, so many at a time: a line for each, and all that a failing one printed.
#   tests/support/play_runtimes.sh [at once]
set -euo pipefail
cd "$(dirname "$0")/../.."

play() {
  local began=$SECONDS log
  log="$(mktemp)"
  if .venv/bin/python -m nox --non-interactive -s "$1" >"$log" 2>&1; then
    echo "$1: $(grep -E '[0-9]+ passed' "$log" | tail -1), $((SECONDS - began)) s"
    rm "$log"
  else
    cat "$log"
    echo "$1 failed"
    return 1
  fi
}
export -f play

.venv/bin/python -m nox --list --json -s play |
  .venv/bin/python -c 'import json, sys; print(*(one["session"] for one in json.load(sys.stdin)), sep="\n")' |
  xargs -d '\n' -P "${1:-2}" -I '{}' bash -c 'play "$1"' _ '{}'
