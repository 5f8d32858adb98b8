# shellcheck shell=bash
# Where the conformance data is: MAYFLY_SUITES, else ../shared/suites, else a clone in build/suites.

# shellcheck disable=SC2154 # root and build_root come from common.sh
suites_wasm_url=https://github.com/WebAssembly/testsuite
suites_wasm_commit=193e551
suites_component_url=https://github.com/WebAssembly/component-model
suites_component_commit=6d28164

# clone URL COMMIT FOLDER: fetches what is needed of one commit; false when out of reach.
suites_clone() {
    local url=$1 commit=$2 folder=$3
    rm -rf "$folder"
    GIT_TERMINAL_PROMPT=0 timeout 120 git -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=15 \
        clone -q --filter=blob:none --no-checkout "$url" "$folder" 2>/dev/null &&
        timeout 120 git -C "$folder" checkout -q "$commit" 2>/dev/null
}

# Exports MAYFLY_SUITES and returns 0, or says why not and returns 1.
suites_find() {
    local beside=$root/../shared/suites
    if [ -n "${MAYFLY_SUITES:-}" ]; then
        [ -d "$MAYFLY_SUITES/wasm" ] || die "MAYFLY_SUITES=$MAYFLY_SUITES has no folder wasm"
        return 0
    elif [ -d "$beside/wasm" ]; then
        MAYFLY_SUITES=$(cd "$beside" && pwd)
    else
        local folder=$build_root/suites
        if [ ! -f "$folder/complete" ]; then
            mkdir -p "$folder"
            say "cloning the conformance suites"
            if ! suites_clone "$suites_wasm_url" "$suites_wasm_commit" "$folder/wasm" ||
                ! suites_clone "$suites_component_url" "$suites_component_commit" "$folder/cm"; then
                say "the conformance suites are out of reach ($suites_wasm_url)"
                return 1
            fi
            ln -sfn cm/test "$folder/component"
            touch "$folder/complete"
        fi
        MAYFLY_SUITES=$folder
    fi
    export MAYFLY_SUITES
}
