import { matchLength, viewOf, word } from '../../simd/bytes.ts';
import { Coverage } from './coverage.ts';
import { COST, Nodes, REGION } from './nodes.ts';
import type { Source, TakeCopy, EncodedRange } from './types.ts';
import { KEY_SIZE, PositionIndex } from './positionIndex.ts';

/** The shortest match at a distance that was used before. */
const SHORTEST = 4;
/** If a match at a known distance is this long, no other one is looked for. */
const GOOD = 16;

/** If a match continues after this many other bytes, it counts as unbroken. */
const RESUMED = 4;

/** How thoroughly to search. */
export interface Thoroughness {
  /** Every `step`th byte of the source is indexed. */
  step: number;
  /** Matches of at least this length are taken at once. At most 256. */
  nice: number;
}

/**
 * Finds the cheapest way to write changed bytes with copies from a source. This is a shortest path:
 * the nodes are the positions of the target, the edges are literals and matches, at recent
 * distances or found in an index. Nodes that cost no less than a later one are skipped, so the
 * search is hardly slower than a greedy one.
 */
export class Parser {
  readonly #index = new PositionIndex();
  readonly #coverage = new Coverage();
  readonly #nodes = new Nodes();
  #target = viewOf(new Uint8Array());
  #source = viewOf(new Uint8Array());
  #sourceLength = 0;
  #end = 0;
  /** First position of the region. */
  #base = 0;
  /** The best match at another distance so far: its size, and its position in the source, or -1. */
  #best = 0;
  #bestFrom = -1;
  /** Size of the match that ends the region, or 0. */
  #niceSize = 0;
  #niceDistance = 0;
  #niceNode = 0;
  #nice = 0;

  /** Passes the cheapest copies for a part of the target to `take`. */
  parse(target: EncodedRange, source: Source, thoroughness: Thoroughness, take: TakeCopy): void {
    this.#nice = thoroughness.nice;
    this.#target = viewOf(target.bytes);
    this.#end = target.end;
    this.#source = viewOf(source.bytes, source.length);
    this.#coverage.find(target, source);
    this.#index.fill(this.#source, thoroughness.step, this.#coverage);
    this.#sourceLength = source.length;
    this.#nodes.begin(source.distance);
    let at = target.start;
    while (at < target.end) at = this.#region(at, take);
  }

  /**
   * Parses from `start` to a long match or to the end of the region, and returns the position after
   * it.
   */
  #region(start: number, take: TakeCopy): number {
    this.#base = start;
    this.#niceSize = 0;
    const nodes = this.#nodes;
    nodes.beginRegion();
    const limit = Math.min(REGION, this.#end - start);
    let node = 0;
    let misses = 0;
    for (;;) {
      if (node >= limit && (node >= this.#end - start || nodes.isLive(node))) break;
      if (nodes.isLive(node)) {
        const hit = this.#visit(node, misses);
        if (this.#niceSize > 0) break;
        misses = hit ? 0 : misses + 1;
      }
      node++;
    }
    return this.#finish(this.#niceSize > 0 ? this.#niceNode : node, take);
  }

  /** Updates the nodes that edges from `node` lead to. True if there were matches. */
  #visit(node: number, misses: number): boolean {
    const nodes = this.#nodes;
    const cost = nodes.cost[node]!;
    const first = nodes.distance[node]!;
    const second = nodes.before[node]!;
    nodes.addLiteral(node, cost);
    let best = this.#repeat(node, first, cost + COST.copy);
    if (second !== first) best = Math.max(best, this.#repeat(node, second, cost + COST.copyBefore));
    if (this.#niceSize > 0 || best >= GOOD) return true;
    const at = this.#base + node;
    if (at + KEY_SIZE > this.#end || (at & skipMask(misses)) !== 0 || this.#resumes(at, first))
      return best > 0;
    return this.#elsewhere(node, best, cost) || best > 0;
  }

  /**
   * True if the match at this distance continues after a few other bytes. Then no other match is
   * worth a look.
   */
  #resumes(at: number, distance: number): boolean {
    const from = at + distance;
    if (from < 0 || from + RESUMED + 4 > this.#sourceLength) return false;
    return word(this.#target, at + RESUMED) === word(this.#source, from + RESUMED);
  }

  /**
   * Follows the match at a known distance, and returns its size. A match that could have begun
   * earlier was found there.
   */
  #repeat(node: number, distance: number, cost: number): number {
    const target = this.#target;
    const source = this.#source;
    const at = this.#base + node;
    const from = at + distance;
    if (from < 0 || from >= this.#sourceLength || target.getUint8(at) !== source.getUint8(from)) return 0;
    if (this.#nodes.size[node] === 0 && from > 0 && target.getUint8(at - 1) === source.getUint8(from - 1))
      return 0;
    const size = matchLength(target, at, source, from, Math.min(this.#end - at, this.#sourceLength - from));
    if (size < SHORTEST) return 0;
    this.#copy(node, size, distance, cost);
    return size;
  }

  /**
   * Follows the longest match that the index or the coverage has. True if it is longer than
   * `least`.
   */
  #elsewhere(node: number, least: number, cost: number): boolean {
    const index = this.#index;
    const at = this.#base + node;
    this.#best = Math.max(least, KEY_SIZE - 1);
    this.#bestFrom = -1;
    for (let found = index.find(this.#target, at) - 1; found >= 0; found--)
      this.#consider(node, at, index.found[found]!);
    const covered = this.#coverage.fromOf(at);
    if (covered >= 0) this.#consider(node, at, covered);
    const best = this.#best;
    const bestFrom = this.#bestFrom;
    if (bestFrom < 0) return false;
    const back = this.#backwards(node, at, bestFrom);
    this.#copy(node - back, best + back, bestFrom - at, cost + COST.copyElsewhere - back * COST.literal);
    return true;
  }

  /** Replaces the best match by the one at `from` if that is longer, or as long and nearer. */
  #consider(node: number, at: number, from: number): void {
    const target = this.#target;
    const source = this.#source;
    const bestFrom = this.#bestFrom;
    if (from >= this.#sourceLength) return;
    const size = matchLength(target, at, source, from, Math.min(this.#end - at, this.#sourceLength - from));
    if (size < this.#best) return;
    const near = at + this.#nodes.distance[node]!;
    if (size === this.#best && (bestFrom < 0 || Math.abs(from - near) >= Math.abs(bestFrom - near))) return;
    this.#best = size;
    this.#bestFrom = from;
  }

  /**
   * The number of literals before the node that the match of `at` and `from` could cover as well.
   */
  #backwards(node: number, at: number, from: number): number {
    let back = 0;
    while (
      back < node &&
      this.#nodes.size[node - back] === 0 &&
      from - back > 0 &&
      this.#target.getUint8(at - back - 1) === this.#source.getUint8(from - back - 1)
    )
      back++;
    return back;
  }

  /** Takes a match: an edge to a later node, or, if it is long, the end of the region. */
  #copy(node: number, size: number, distance: number, cost: number): void {
    if (size >= this.#nice) {
      if (size > this.#niceSize) {
        this.#niceSize = size;
        this.#niceDistance = distance;
        this.#niceNode = node;
      }
      return;
    }
    this.#nodes.addCopy(node, size, distance, cost);
  }

  /**
   * Passes the copies up to `last` to `take`, and then the long match, if there is one. Returns the
   * position after them.
   */
  #finish(last: number, take: TakeCopy): number {
    const at = this.#base + last;
    this.#nodes.trace(last, this.#base, take);
    if (this.#niceSize === 0) {
      this.#nodes.moveToStart(last, undefined);
      return at;
    }
    this.#nodes.moveToStart(last, this.#niceDistance);
    take(at, at + this.#niceDistance, this.#niceSize);
    return at + this.#niceSize;
  }
}

/** After many positions without a match, fewer positions are tried. */
function skipMask(misses: number): number {
  return misses < 64 ? 0 : misses < 256 ? 1 : misses < 1024 ? 3 : 7;
}

let shared: Parser | undefined;

/**
 * Returns the parser of this thread. Each `parse` begins anew, and its tables have 20 MB: to
 * allocate them for each of hundreds of small layers would take longer than the layers.
 */
export function threadParser(): Parser {
  return (shared ??= new Parser());
}
