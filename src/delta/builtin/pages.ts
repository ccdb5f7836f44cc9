import type { Range } from './sourceBuffer.ts';

/** The old layer is taken in units of this. */
export const UNIT: number = 1 << 15;
/** So many units before and behind one with landmarks are taken with it. */
const MARGIN = 1;

/** Counts which parts of the old layer have landmarks in common with new bytes. */
export class PageVotes {
  private readonly votes = new Map<number, number>();

  /** Counts a landmark at `position` of the old layer. */
  add(position: number): void {
    const unit = Math.floor(position / UNIT);
    this.votes.set(unit, (this.votes.get(unit) ?? 0) + 1);
  }

  /**
   * The parts with the most votes, but at least `fewest`, and what surrounds them, then `fallback` from its start on: as much as `budget` bytes
   * allow. In the old layer's order, without overlaps.
   */
  ranges(fallback: Range, fewest: number, budget: number, fileSize: number): Range[] {
    const chosen = new Set<number>();
    const most = Math.floor(budget / UNIT);
    const enough = [...this.votes].filter(([, count]) => count >= fewest);
    for (const [unit] of enough.sort((a, b) => b[1] - a[1] || a[0] - b[0])) {
      for (let near = unit - MARGIN; near <= unit + MARGIN; near++)
        if (chosen.size < most && near >= 0) chosen.add(near);
    }
    for (let unit = Math.floor(fallback.from / UNIT); unit * UNIT < fallback.end; unit++)
      if (chosen.size < most) chosen.add(unit);
    return rangesOf(
      [...chosen].sort((a, b) => a - b),
      fileSize,
    );
  }
}

/** Ascending units as ranges that do not touch. */
function rangesOf(units: readonly number[], fileSize: number): Range[] {
  const result: Range[] = [];
  for (const unit of units) {
    const [from, end] = [unit * UNIT, Math.min(fileSize, (unit + 1) * UNIT)];
    const last = result.at(-1);
    if (last?.end === from) last.end = end;
    else if (end > from) result.push({ from, end });
  }
  return result;
}
