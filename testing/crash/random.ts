/**
 * Reproducible random numbers from a seed, in [0, 1): Marsaglia's xorshift with 32 bits (Journal of
 * Statistical Software 8/14, 2003).
 * @param seed any whole number
 */
export function seededRandom(seed: number): () => number {
  // Spread with Knuth's multiplicative hash, so that neighbouring seeds give different numbers from
  // the start. A state of zero would stay zero.
  let state = Math.imul(seed, 2_654_435_761) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
