#!/bin/sh
# convert.sh OUT: converts the core suite below $MAYFLY_SUITES/wasm into OUT; exit code 77 without.
if [ ! -d "$MAYFLY_SUITES/wasm" ]; then
    echo "skipped: MAYFLY_SUITES names no folder with wasm/"
    exit 77
fi
exec node "$(dirname "$0")/convert.mjs" "$MAYFLY_SUITES/wasm" "$1"
