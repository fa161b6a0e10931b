#!/usr/bin/env bash
# Build Jaeger, one binary with storage in memory, from its Go module and with the dependencies that it has locked itself.
# Done once per machine, outside of the checkout; prints where it is. v1.76.0 of the module is Jaeger 2.13: the newest
# that module proxies have (its v2 tags have no /v2 in the module's path, so no tool can ask for them).
set -euo pipefail
version=v1.76.0
cache="${XDG_CACHE_HOME:-$HOME/.cache}/turnspan-backends"
binary="$cache/jaeger-$version"
if [ ! -x "$binary" ]; then
    command -v go >/dev/null || { echo "Jaeger is built with Go 1.25 or newer, which is not installed" >&2; exit 1; }
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    source="$(go mod download -json "github.com/jaegertracing/jaeger@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')"
    cp -r "$source" jaeger && chmod -R u+w jaeger
    echo "building Jaeger in $work: some minutes, once per machine" >&2
    mkdir -p "$cache"
    (cd jaeger && go build -trimpath -ldflags="-s -w" -o "$binary.$$" ./cmd/jaeger && mv "$binary.$$" "$binary") >&2
fi
echo "$binary"
