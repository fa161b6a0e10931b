#!/usr/bin/env bash
# Installs the wheel of this checkout as users would: with each extra, by the pip that the first release of each Python
# shipped and by uv, in environments of their own, with caches that begin empty; then the demo proves that it works there.
# A Python that this machine does not have is passed over, and said so.
set -euo pipefail
cd "$(dirname "$0")/../.."
uv="$PWD/.venv/bin/uv"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/home"
.venv/bin/python -m hatchling build -t wheel -d "$work/dist" >/dev/null

bare() { env -i HOME="$work/home" PATH=/usr/bin:/bin UV_SYSTEM_CERTS=1 PIP_DISABLE_PIP_VERSION_CHECK=1 "$@"; }

check() {  # the environment, what to say
  (cd "$work/home" && bare "$1/bin/turnspan" demo >"$1/demo" 2>&1 && grep -q "^Proven" "$1/demo") || { cat "$1/demo"; exit 1; }
  echo "  $2: $("$1/bin/turnspan" --version)"
}

install() {  # a Python and the pip of its first release
  local version="${1%:*}" pip="${1#*:}" python extra folder
  python="$(tests/support/find_python.sh "$version")"
  [ -n "$python" ] || { echo "Python $version is not on this machine: passed over"; return; }
  for extra in "" "[otlp]" "[sign]" "[postgresql]" "[mysql]" "[redis]" "[serve,prices]" "[all]"; do
    folder="$work/$version$extra"
    bare "$python" -m venv "$folder"
    bare "$folder/bin/python" -m pip install -q "pip==$pip"
    bare "$folder/bin/python" -m pip install -q --find-links "$work/dist" "turnspan$extra" 2>&1 | grep -v "notice" || true
    check "$folder" "Python $version: turnspan$extra by pip $pip"
    rm -rf "$folder"
    bare "$uv" venv -q --python "$python" "$folder"
    bare "$uv" pip install -q --python "$folder/bin/python" --find-links "$work/dist" "turnspan$extra"
    check "$folder" "Python $version: turnspan$extra by uv"
    rm -rf "$folder"
  done
}

export uv work
export -f bare check install
printf '%s\n' 3.11:22.3 3.12:23.2.1 3.13:24.2 3.14:25.2 |
  xargs -P 2 -I '{}' bash -c 'set -euo pipefail; install "$1"' _ '{}'
