import { matchLength, viewOf, word } from './bytes.ts';
import { Coverage } from './coverage.ts';
import type { Source, Target } from './types.ts';
import { KEY_SIZE, PositionIndex } from './positionIndex.ts';

/** The shortest match at a distance that was used before. */
const SHORTEST = 4;
/** If a match at a known distance is this long, no other one is looked for. */
const GOOD = 16;

/** If a match continues after this many other bytes, it counts as unbroken. */
const RESUMED = 4;

/** Costs in the compressed artifact, in eighths of a bit, found by measuring real layers. */
const COST = {
  literal: 32,
  /** The first of several literals. */
  add: 32,
  /**
   * A copy at the distance of the previous copy, of the one before that, and at any other distance.
   */
  copy: 56,
  copyBefore: 176,
  copyElsewhere: 320,
  /** What a size costs that does not fit into the opcode. */
  long: 40,
};

const LONGEST_SHORT = 18;
const REGION = 1 << 12;
const LONGEST_NICE = 256;
const ROOM = REGION + LONGEST_NICE + 2;
const FAR = 2 ** 30;

/** How thoroughly to search. */
export interface Thoroughness {
  /** Every `step`th byte of the source is indexed. */
  step: number;
  /** Matches of at least this length are taken at once. At most LONGEST_NICE. */
  nice: number;
}

/**
 * Receives the copies in the order of the target: position in the target, position in the source,
 * size.
 */
export type TakeCopy = (at: number, from: number, size: number) => void;

/**
 * Finds the cheapest way to write changed bytes with copies from a source. This is a shortest path:
 * the nodes are the positions of the target, the edges are literals and matches, at recent
 * distances or found in an index. Nodes that cost no less than a later one are skipped, so the
 * search is hardly slower than a greedy one.
 */
export class Parser {
  readonly #index = new PositionIndex();
  readonly #coverage = new Coverage();
  readonly #cost = new Int32Array(ROOM);
  /**
   * Size of the copy that ends at the node (0 for a literal), and its distance (source minus
   * target).
   */
  readonly #size = new Int32Array(ROOM);
  readonly #distance = new Int32Array(ROOM);
  /** The distance of the copy before. */
  readonly #before = new Int32Array(ROOM);
  readonly #path = new Int32Array(ROOM);
  #target = viewOf(new Uint8Array());
  #source = viewOf(new Uint8Array());
  #sourceLength = 0;
  #end = 0;
  /** First position of the region. */
  #base = 0;
  /** Nodes up to this have a cost. */
  #cleared = 0;
  #lead = 0;
  #leadCost = 0;
  /** The best match at another distance so far: its size, and its position in the source, or -1. */
  #best = 0;
  #bestFrom = -1;
  /** Size of the match that ends the region, or 0. */
  #niceSize = 0;
  #niceDistance = 0;
  #niceNode = 0;
  #nice = 0;

  /** Passes the cheapest copies for a part of the target to `take`. */
  parse(target: Target, source: Source, thoroughness: Thoroughness, take: TakeCopy): void {
    this.#nice = thoroughness.nice;
    this.#target = viewOf(target.bytes);
    this.#end = target.end;
    this.#source = viewOf(source.bytes, source.length);
    this.#coverage.find(target, source);
    this.#index.fill(this.#source, thoroughness.step, this.#coverage);
    this.#sourceLength = source.length;
    this.#distance[0] = source.distance;
    this.#before[0] = source.distance;
    let at = target.start;
    while (at < target.end) at = this.#region(at, take);
  }

  /**
   * Parses from `start` to a long match or to the end of the region, and returns the position after
   * it.
   */
  #region(start: number, take: TakeCopy): number {
    this.#base = start;
    this.#cost[0] = 0;
    this.#size[0] = 1;
    this.#cleared = 0;
    this.#lead = 0;
    this.#niceSize = 0;
    const limit = Math.min(REGION, this.#end - start);
    let node = 0;
    let misses = 0;
    for (;;) {
      if (node >= limit && (node >= this.#end - start || this.#isLive(node))) break;
      if (this.#isLive(node)) {
        const hit = this.#visit(node, misses);
        if (this.#niceSize > 0) break;
        misses = hit ? 0 : misses + 1;
      }
      node++;
    }
    this.#trace(node, take);
    return this.#finish(node, take);
  }

  #isLive(node: number): boolean {
    return node <= this.#cleared && (this.#lead <= node || this.#cost[node]! < this.#leadCost);
  }

  /** Updates the nodes that edges from `node` lead to. True if there were matches. */
  #visit(node: number, misses: number): boolean {
    const cost = this.#cost[node]!;
    const first = this.#distance[node]!;
    const second = this.#before[node]!;
    this.#literal(node, cost);
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

  #literal(node: number, cost: number): void {
    const total = cost + COST.literal + (this.#size[node] === 0 ? 0 : COST.add);
    const next = node + 1;
    if (next > this.#cleared) this.#clear(next);
    if (total >= this.#cost[next]!) return;
    this.#cost[next] = total;
    this.#size[next] = 0;
    this.#distance[next] = this.#distance[node]!;
    this.#before[next] = this.#before[node]!;
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
    if (this.#size[node] === 0 && from > 0 && target.getUint8(at - 1) === source.getUint8(from - 1)) return 0;
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
    const near = at + this.#distance[node]!;
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
      this.#size[node - back] === 0 &&
      from - back > 0 &&
      this.#target.getUint8(at - back - 1) === this.#source.getUint8(from - back - 1)
    )
      back++;
    return back;
  }

  #copy(node: number, size: number, distance: number, cost: number): void {
    if (size >= this.#nice) {
      if (size > this.#niceSize) {
        this.#niceSize = size;
        this.#niceDistance = distance;
        this.#niceNode = node;
      }
      return;
    }
    const next = node + size;
    const total = cost + (size > LONGEST_SHORT ? COST.long : 0);
    if (next > this.#cleared) this.#clear(next);
    if (total >= this.#cost[next]!) return;
    this.#cost[next] = total;
    this.#size[next] = size;
    this.#distance[next] = distance;
    this.#before[next] = distance === this.#distance[node] ? this.#before[node]! : this.#distance[node]!;
    if (this.#lead <= node || total < this.#leadCost || next > this.#lead) {
      this.#lead = next;
      this.#leadCost = total;
    }
  }

  #clear(upTo: number): void {
    for (let node = this.#cleared + 1; node <= upTo; node++) this.#cost[node] = FAR;
    this.#cleared = upTo;
  }

  /** Passes the copies on the path to `node` to `take`. */
  #trace(node: number, take: TakeCopy): void {
    let count = 0;
    let at = this.#niceSize > 0 ? this.#niceNode : node;
    while (at > 0) {
      if (this.#size[at]! > 0) this.#path[count++] = at;
      at -= Math.max(1, this.#size[at]!);
    }
    while (count > 0) {
      const end = this.#path[--count]!;
      const start = this.#base + end - this.#size[end]!;
      take(start, start + this.#distance[end]!, this.#size[end]!);
    }
  }

  /**
   * Passes the long match to `take`, if there is one, and prepares the first node of the next
   * region.
   */
  #finish(node: number, take: TakeCopy): number {
    const last = this.#niceSize > 0 ? this.#niceNode : node;
    const at = this.#base + last;
    const distance = this.#distance[last]!;
    this.#before[0] = this.#before[last]!;
    this.#distance[0] = distance;
    if (this.#niceSize === 0) return at;
    if (this.#niceDistance !== distance) this.#before[0] = distance;
    this.#distance[0] = this.#niceDistance;
    take(at, at + this.#niceDistance, this.#niceSize);
    return at + this.#niceSize;
  }
}

/** After many positions without a match, fewer positions are tried. */
function skipMask(misses: number): number {
  return misses < 64 ? 0 : misses < 256 ? 1 : misses < 1024 ? 3 : 7;
}
