import { eachLandmark, findLandmark, type Landmarks } from './landmarks.ts';
import { PageVotes } from './pages.ts';
import type { Target } from './parser.ts';
import { INDEX_LIMIT } from './positionIndex.ts';
import type { Range } from './sourceBuffer.ts';

/** So much of a known old version is always taken whole; of a larger one what the landmarks say. */
const WHOLE = 8 << 20;
/** Of a larger old version, so much before and behind the same place is taken where no landmark says more. */
const REACH = 1 << 20;

/** A piece resembles the old layer if it has so many landmarks, and the old layer this share of them. */
const FEWEST = 4;
const ENOUGH = 1 / 3;

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
    if (version !== undefined && version.end - version.from <= WHOLE)
      return version.end > version.from ? [version] : [];
    const { votes, share } = this.survey(piece);
    if (version === undefined) return share < ENOUGH ? [] : votes.ranges([], INDEX_LIMIT, this.fileSize);
    const length = piece.end - piece.start;
    const from = Math.max(version.from, Math.min(probable, version.end - length) - REACH);
    const around = { from, end: Math.min(version.end, from + length + 2 * REACH) };
    return votes.ranges([around], INDEX_LIMIT, this.fileSize);
  }

  /** Votes of the piece's landmarks, and which share of them the old layer has. */
  private survey(piece: Target): { votes: PageVotes; share: number } {
    const votes = new PageVotes();
    let all = 0;
    let known = 0;
    eachLandmark(piece.bytes, piece.start, piece.end, this.landmarks.bits, (sum) => {
      const position = findLandmark(this.landmarks, sum);
      if (position >= 0) votes.add(position);
      all++;
      known += position >= 0 ? 1 : 0;
    });
    return { votes, share: all < FEWEST ? 0 : known / all };
  }
}
