import { eachLandmark, findLandmark, type Landmarks } from './landmarks.ts';
import { INDEX_LIMIT } from './positionIndex.ts';
import type { Range } from './sourceBuffer.ts';
import { LARGEST_WHOLE } from './baseLandmarks.ts';
import type { Target } from './types.ts';

/** Of a larger base version, so much before and behind the same place is taken where no landmark says more. */
const REACH = 1 << 20;

/** A piece resembles the base layer if it has so many landmarks, and the base layer this share of them. */
const FEWEST = 4;
const ENOUGH = 1 / 3;
/** A part of the base layer counts if it has this share of the landmarks that an equal one would have. */
const DENSE = 1 / 8;

const NOTHING: Range = { from: 0, end: 0 };

/** Chooses which parts of the base layer a changed piece of the new one is matched against. */
export class RangeFinder {
  private readonly landmarks: Landmarks;
  private readonly fileSize: number;

  constructor(landmarks: Landmarks, fileSize: number) {
    this.landmarks = landmarks;
    this.fileSize = fileSize;
  }

  /**
   * Ranges of the base layer, of less than INDEX_LIMIT bytes together: the old `version`; of a large one what is around
   * `probable` and what has landmarks of the piece. Without a version, the parts that have most of its landmarks:
   * where there are few, literals compress better than copies from all over the place.
   */
  find(piece: Target, version: Range | undefined, probable: number): Range[] {
    if (version !== undefined && version.end - version.from <= LARGEST_WHOLE)
      return version.end > version.from ? [version] : [];
    const { votes, all, known } = this.survey(piece);
    if (version === undefined && (all < FEWEST || known < all * ENOUGH)) return [];
    const fallback = version === undefined ? NOTHING : around(version, probable, piece.end - piece.start);
    const fewest = Math.min(all, UNIT / 2 ** this.landmarks.bits) * DENSE;
    return votes.ranges(fallback, fewest, INDEX_LIMIT, this.fileSize);
  }

  /** Votes of the piece's landmarks, how many there are, and how many of them the base layer has. */
  private survey(piece: Target): { votes: UnitVotes; all: number; known: number } {
    const votes = new UnitVotes();
    let all = 0;
    let known = 0;
    eachLandmark(piece.bytes, piece.start, piece.end, this.landmarks.bits, (sum) => {
      const position = findLandmark(this.landmarks, sum);
      if (position >= 0) votes.add(position);
      all++;
      known += position >= 0 ? 1 : 0;
    });
    return { votes, all, known };
  }
}

/** The part of a large base version that is where `length` bytes from `probable` on are, and some more. */
function around(version: Range, probable: number, length: number): Range {
  const from = Math.max(version.from, Math.min(probable, version.end - length) - REACH);
  return { from, end: Math.min(version.end, from + length + 2 * REACH) };
}

/** The base layer is taken in units of this. */
const UNIT: number = 1 << 15;
/** So many units before and behind one with landmarks are taken with it. */
const MARGIN = 1;

/** Counts which parts of the base layer have landmarks in common with new bytes. */
export class UnitVotes {
  private readonly votes = new Map<number, number>();

  /** Counts a landmark at `position` of the base layer. */
  add(position: number): void {
    const unit = Math.floor(position / UNIT);
    this.votes.set(unit, (this.votes.get(unit) ?? 0) + 1);
  }

  /**
   * The parts with the most votes, but at least `fewest`, and what surrounds them, then `fallback` from its start on: as much as `budget` bytes
   * allow. In the base layer's order, without overlaps.
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
