#!/usr/bin/env bash
# Python 3.14 where the system has none: a whole CPython that JavaCPP's presets publish as a Maven artifact. Once per
# machine, outside of the checkout; prints where it is, or nothing where there is no Maven or no Linux on x86-64.
set -euo pipefail
version=3.14.3-1.5.13
folder="${XDG_CACHE_HOME:-$HOME/.cache}/turnspan-backends/cpython-$version"
if found="$(command -v python3.14)" && "$found" -c '' 2>/dev/null; then echo "$found"; exit; fi
if [ ! -x "$folder/bin/python3.14" ]; then
  if ! command -v mvn >/dev/null || [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "Python 3.14 is not installed, and Maven is not there to get it with" >&2
    exit
  fi
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && mvn -q -B dependency:copy "-Dartifact=org.bytedeco:cpython:$version:jar:linux-x86_64" -DoutputDirectory="$work" >&2)
  python3 -m zipfile -e "$work"/cpython-*.jar "$work/jar"
  chmod +x "$work"/jar/org/bytedeco/cpython/linux-x86_64/bin/*
  mkdir -p "$(dirname "$folder")"
  mv "$work/jar/org/bytedeco/cpython/linux-x86_64" "$folder"
fi
echo "$folder/bin/python3.14"
