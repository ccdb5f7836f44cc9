/**
 * Returns numbers from 0 to 1, the same ones for a seed.
 * https://en.wikipedia.org/wiki/Linear_congruential_generator, with the constants of C++'s minstd_rand.
 */
export function seeded(seed: number): () => number {
  let state = (seed * 2_654_435_761) % 2_147_483_647 || 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
