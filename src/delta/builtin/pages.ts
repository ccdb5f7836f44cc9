import type { Range } from './sourceBuffer.ts';

const PAGE = 1 << 16;

/** Counts which parts of the old layer have landmarks in common with new bytes. */
export class PageVotes {
  private readonly votes = new Map<number, number>();

  /** Counts a landmark at `position` of the old layer. */
  add(position: number): void {
    const page = Math.floor(position / PAGE);
    this.votes.set(page, (this.votes.get(page) ?? 0) + 1);
  }

  /**
   * `first` and, as long as all together stay below `budget` bytes, the pages with the most votes and half a page on
   * either side of each; in the old layer's order, without overlaps.
   */
  ranges(first: readonly Range[], budget: number, fileSize: number): Range[] {
    const best = [...this.votes].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const chosen = [...first];
    let left = budget - first.reduce((sum, range) => sum + range.end - range.from, 0);
    for (const [page] of best) {
      if (left < 2 * PAGE) break;
      left -= 2 * PAGE;
      chosen.push({
        from: Math.max(0, page * PAGE - PAGE / 2),
        end: Math.min(fileSize, (page + 1) * PAGE + PAGE / 2),
      });
    }
    return merged(chosen);
  }
}

/** The same bytes as ranges in order that neither overlap nor touch. */
function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last !== undefined && range.from <= last.end) last.end = Math.max(last.end, range.end);
    else result.push({ ...range });
  }
  return result;
}
