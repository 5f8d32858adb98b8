# One line a target.
mayfly_fuzz(http1 USES base http INSIDE http)
mayfly_fuzz(artifact USES base artifact INSIDE artifact)
mayfly_fuzz(wasm USES base wasm INSIDE wasm)
mayfly_fuzz(component_decode USES base wasm component)
