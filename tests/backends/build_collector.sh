#!/usr/bin/env bash
# Build an OpenTelemetry Collector of the few parts that integrations/collector uses. Done once per machine, outside of
# the checkout; prints where it is.
set -euo pipefail
version=v0.159.0
here="$(cd "$(dirname "$0")" && pwd)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/turnspan-backends"
binary="$cache/collector-$version"
if [ ! -x "$binary" ]; then
    command -v go >/dev/null || { echo "the Collector is built with Go 1.25 or newer, which is not installed" >&2; exit 1; }
    work="$(mktemp -d)"
    trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
    cd "$work"
    echo "building the Collector in $work: some minutes, once per machine" >&2
    GOBIN="$work" go install "go.opentelemetry.io/collector/cmd/builder@$version" >&2
    ./builder --config "$here/collector-builder.yaml" >&2
    mkdir -p "$cache"
    mv out/turnspan-collector "$binary.$$" && mv "$binary.$$" "$binary"
fi
echo "$binary"
