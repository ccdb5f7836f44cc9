import { eachLandmark, findLandmark, type Landmarks } from './landmarks.ts';
import { INDEX_LIMIT } from './positionIndex.ts';
import type { Range } from './sourceBuffer.ts';
import { LARGEST_WHOLE } from './baseLandmarks.ts';
import type { EncodedRange } from './types.ts';

/**
 * Of a larger base version, this many bytes before and after the same place are taken if the
 * landmarks say nothing else.
 */
const REACH = 1 << 20;

/**
 * A piece resembles the base layer if it has this many landmarks, and the base layer has this share
 * of them.
 */
const FEWEST = 4;
const ENOUGH = 1 / 3;
/**
 * A part of the base layer counts if it has this share of the landmarks that an equal part would
 * have.
 */
const DENSE = 1 / 8;

const NOTHING: Range = { from: 0, end: 0 };

/** Chooses the parts of the base layer that a changed piece of the new layer is matched against. */
export class RangeFinder {
  readonly #landmarks: Landmarks;
  readonly #fileSize: number;

  constructor(landmarks: Landmarks, fileSize: number) {
    this.#landmarks = landmarks;
    this.#fileSize = fileSize;
  }

  /**
   * Ranges of the base layer with less than INDEX_LIMIT bytes together. They are the base `version`
   * of the file; of a large one the part around `probable` and the parts that share landmarks with
   * the piece. Without a version they are the parts that share most landmarks; with few shared
   * landmarks there are no ranges, as literals compress better than copies from many places.
   */
  find(piece: EncodedRange, version: Range | undefined, probable: number): Range[] {
    if (version !== undefined && version.end - version.from <= LARGEST_WHOLE)
      return version.end > version.from ? [version] : [];
    const { votes, all, known } = this.#survey(piece);
    if (version === undefined && (all < FEWEST || known < all * ENOUGH)) return [];
    const fallback = version === undefined ? NOTHING : around(version, probable, piece.end - piece.start);
    const fewest = Math.min(all, UNIT / 2 ** this.#landmarks.bits) * DENSE;
    return votes.ranges(fallback, fewest, INDEX_LIMIT, this.#fileSize);
  }

  /** The votes of the piece's landmarks, their number, and how many of them the base layer has. */
  #survey(piece: EncodedRange): { votes: UnitVotes; all: number; known: number } {
    const votes = new UnitVotes();
    let all = 0;
    let known = 0;
    eachLandmark(piece.bytes, piece.start, piece.end, this.#landmarks.bits, (sum) => {
      const position = findLandmark(this.#landmarks, sum);
      if (position >= 0) votes.add(position);
      all++;
      known += position >= 0 ? 1 : 0;
    });
    return { votes, all, known };
  }
}

/** The part of a large base version around `length` bytes from `probable` on. */
function around(version: Range, probable: number, length: number): Range {
  const from = Math.max(version.from, Math.min(probable, version.end - length) - REACH);
  return { from, end: Math.min(version.end, from + length + 2 * REACH) };
}

/** The base layer is divided into units of this many bytes. */
const UNIT: number = 1 << 15;
/** Units before and after one with landmarks that are taken with it. */
const MARGIN = 1;

/** Counts the landmarks that each unit of the base layer shares with new bytes. */
export class UnitVotes {
  readonly #votes = new Map<number, number>();

  /** Counts a landmark at `position` of the base layer. */
  add(position: number): void {
    const unit = Math.floor(position / UNIT);
    this.#votes.set(unit, (this.#votes.get(unit) ?? 0) + 1);
  }

  /**
   * The units with the most votes (at least `fewest`) and their neighbours, then `fallback` from
   * its start on, together at most `budget` bytes. In the order of the base layer, without
   * overlaps.
   */
  ranges(fallback: Range, fewest: number, budget: number, fileSize: number): Range[] {
    const chosen = new Set<number>();
    const most = Math.floor(budget / UNIT);
    const enough = [...this.#votes].filter(([, count]) => count >= fewest);
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
