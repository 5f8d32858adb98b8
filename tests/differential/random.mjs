// Random 32-bit numbers, the same ones for the same (seed, stream): splitmix32.
export function randomSource(seed, stream) {
  let state = (Math.imul(seed, 0x2545f491) ^ Math.imul(stream + 1, 0x9e3779b1)) | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}
