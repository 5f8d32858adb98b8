#!/bin/sh
# run.sh MAYFLY OUT FILE.wasm…: compiles each at every level whose code is checked, and checks it.
mayfly=$1 out=$2
shift 2
mkdir -p "$out" || exit 1
rm -f "$out"/*.mfa
for file; do
    for level in fast optimised; do
        for cpu in x86-64-v2 x86-64-v3; do
            "$mayfly" compile --level $level --cpu $cpu "$file" \
                -o "$out/$(basename "$file" .wasm)-$level-$cpu.mfa" || exit 1
        done
    done
done
exec node "$(dirname "$0")/code_check.mjs" "$out"/*.mfa
