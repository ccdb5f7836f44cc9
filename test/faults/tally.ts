/** What became of many attempts to break something. */
export interface Tally {
  name: string;
  tried: number;
  /** One line for each attempt that broke something. */
  lost: string[];
  /** How the attempts went, counted. */
  outcomes: Record<string, number>;
}

export function newTally(name: string): Tally {
  return { name, tried: 0, lost: [], outcomes: {} };
}

/** Counts one attempt; `fault` says what it broke. */
export function count(tally: Tally, outcome: string, fault?: string): void {
  tally.tried += 1;
  tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1;
  if (fault !== undefined) tally.lost.push(fault);
}

export function tallyText({ name, tried, lost, outcomes }: Tally): string {
  const details = Object.entries(outcomes).map(([outcome, times]) => `${outcome}: ${times}`);
  const line = `${name}: tried ${tried}, survived ${tried - lost.length}, lost ${lost.length} (${details.join(', ')})`;
  return [line, ...lost.map((fault) => `  ${fault}`)].join('\n');
}

/** Numbers from 0 to 1 that look random and are the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
