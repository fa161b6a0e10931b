#!/usr/bin/env bash
# Install Arize Phoenix, from its package, into an environment of its own; once per machine, outside of the checkout.
set -euo pipefail
version=20.26.0
cache="${XDG_CACHE_HOME:-$HOME/.cache}/turnspan-backends"
folder="$cache/phoenix-$version"
if [ ! -x "$folder/bin/phoenix" ]; then
    rm -rf "$folder"
    mkdir -p "$cache"
    echo "installing Phoenix into $folder: once per machine" >&2
    if command -v uv >/dev/null; then
        uv venv -q --python "${PYTHON:-python3}" "$folder" && uv pip install -q --python "$folder/bin/python" "arize-phoenix==$version"
    else
        "${PYTHON:-python3}" -m venv "$folder" && "$folder/bin/pip" install -q --disable-pip-version-check "arize-phoenix==$version"
    fi
fi
echo "$folder/bin/phoenix"
