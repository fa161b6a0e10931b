#!/usr/bin/env bash
# Prints where a Python is that runs, on the path or among pyenv's or uv's; 3.14 is installed where it can be.
#   tests/support/find_python.sh 3.12
here="$(cd "$(dirname "$0")" && pwd)"
for found in "$(command -v "python$1")" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/"python$1" \
  "$("$here/../../.venv/bin/uv" python find --no-python-downloads "$1" 2>/dev/null)"; do
  if [ -x "$found" ] && "$found" -c '' 2>/dev/null; then echo "$found"; exit; fi
done
if [ "$1" = 3.14 ]; then exec "$here/install_python314.sh"; fi
