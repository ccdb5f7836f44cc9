import { eachLandmark, findLandmark, type Landmarks } from './landmarks.ts';
import { PageVotes, UNIT } from './pages.ts';
import { LARGEST_WHOLE } from './survey.ts';
import type { Target } from './stretches.ts';
import { INDEX_LIMIT } from './positionIndex.ts';
import type { Range } from './sourceBuffer.ts';

/** Of a larger old version, so much before and behind the same place is taken where no landmark says more. */
const REACH = 1 << 20;

/** A piece resembles the old layer if it has so many landmarks, and the old layer this share of them. */
const FEWEST = 4;
const ENOUGH = 1 / 3;
/** A part of the old layer counts if it has this share of the landmarks that an equal one would have. */
const DENSE = 1 / 8;

const NOTHING: Range = { from: 0, end: 0 };

/** Chooses which parts of the old layer a changed piece of the new one is matched against. */
export class SourceFinder {
  private readonly landmarks: Landmarks;
  private readonly fileSize: number;

  constructor(landmarks: Landmarks, fileSize: number) {
    this.landmarks = landmarks;
    this.fileSize = fileSize;
  }

  /**
   * Ranges of the old layer, of less than INDEX_LIMIT bytes together: the old `version`; of a large one what is around
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

  /** Votes of the piece's landmarks, how many there are, and how many of them the old layer has. */
  private survey(piece: Target): { votes: PageVotes; all: number; known: number } {
    const votes = new PageVotes();
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

/** The part of a large old version that is where `length` bytes from `probable` on are, and some more. */
function around(version: Range, probable: number, length: number): Range {
  const from = Math.max(version.from, Math.min(probable, version.end - length) - REACH);
  return { from, end: Math.min(version.end, from + length + 2 * REACH) };
}
