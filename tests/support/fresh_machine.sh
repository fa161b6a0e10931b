#!/usr/bin/env bash
# Follows README's first commands word by word in a fresh clone, as a newcomer's machine would: an environment with
# nothing but CI, HOME and PATH, Python's own pip, no uv, no caches. What is not published yet is installed as built here.
#   tests/support/fresh_machine.sh [python3 [tests]]      a part of the tests, in place of all, the slow ones included
set -euo pipefail
cd "$(dirname "$0")/../.."
python="$("${1:-python3}" -c 'import os, sys; print(os.path.realpath(os.path.join(sys.base_prefix, "bin", "python3")))')"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/home" "$work/bin"
ln -s "$python" "$work/bin/python3"
git clone -q . "$work/turnspan"
cd "$work/turnspan"

commands="$(sed -nE 's/^\$ (make (demo|test)|pip install [^#]*[^# ])( *#.*)?$/\1/p' README.md | awk '!seen[$0]++')"
for expected in 'make demo' 'make test' "pip install 'turnspan"; do
  grep -q "^$expected" <<<"$commands" || { echo "README says nowhere to run \`$expected\`" >&2; exit 1; }
done

stripped() { env -i CI="${CI:-}" HOME="$work/home" PATH="$work/bin:/usr/bin:/bin" "$@"; }

while read -r command; do
  [ -z "${2:-}" ] || case "$command" in make\ test) command="make test PYTEST='$2'" ;; pip\ *) continue ;; esac
  echo "\$ $command"
  case "$command" in
    pip\ *)
      stripped python3 -m venv "$work/user"
      stripped "$work/user/bin/python" -m pip wheel -q --disable-pip-version-check --no-deps -w "$work/dist" .
      stripped PIP_FIND_LINKS="$work/dist" PIP_DISABLE_PIP_VERSION_CHECK=1 bash -c "PATH=$work/user/bin:\$PATH; $command"
      (cd "$work/home" && stripped "$work/user/bin/turnspan" demo >/dev/null)
      ;;
    *) stripped bash -c "$command" ;;
  esac
done <<<"$commands"
# what `make test` leaves out, in the same environment
[ -n "${2:-}" ] || stripped make test-all PYTEST='-m slow'
