#!/bin/sh
# validate_oracle.sh VALIDATE_STREAM CONVERTED_SUITE [MUTANTS [SEED [FOLDER]]]
# Exit code 77 when there is nothing to compare with. The long form: 300000 mutants.
if [ ! -f "$2/index" ]; then
    echo "skipped: needs the converted component suite"
    exit 77
fi
exec node "$(dirname "$0")/validate_oracle.mjs" "$@" 2>/dev/null
