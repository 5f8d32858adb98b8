#!/bin/sh
# convert.sh OUT: converts the component suite below $MAYFLY_SUITES/component into OUT; exit code 77
# without.
if [ ! -d "$MAYFLY_SUITES/component" ]; then
    echo "skipped: MAYFLY_SUITES names no folder with component/"
    exit 77
fi
exec node "$(dirname "$0")/convert.mjs" "$MAYFLY_SUITES/component" "$1"
