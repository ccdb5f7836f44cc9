import type { TakeCopy } from './types.ts';

/** Costs in the compressed artifact, in eighths of a bit, found by measuring real layers. */
export const COST = {
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

/** The longest copy whose size fits into the opcode. */
const LONGEST_SHORT = 18;
/** Nodes of a region. */
export const REGION: number = 1 << 12;
/** The longest copy that ends at a node. Longer ones end the region. */
const LONGEST_COPY = 256;
const ROOM = REGION + LONGEST_COPY + 2;
/** The cost of a node that nothing leads to yet. */
const FAR = 2 ** 30;

/**
 * The nodes of one region of the target, which are its positions: the cheapest way found so far to
 * write the bytes before each.
 */
export class Nodes {
  readonly cost: Int32Array = new Int32Array(ROOM);
  /** Size of the copy that ends at the node, 0 for a literal. */
  readonly size: Int32Array = new Int32Array(ROOM);
  /** Distance (source minus target) of the last copy up to the node. */
  readonly distance: Int32Array = new Int32Array(ROOM);
  /** The distance of the copy before that one. */
  readonly before: Int32Array = new Int32Array(ROOM);
  readonly #path = new Int32Array(ROOM);
  /** Nodes up to this have a cost. */
  #cleared = 0;
  #lead = 0;
  #leadCost = 0;

  /** Begins the first region of a target. */
  begin(distance: number): void {
    this.distance[0] = distance;
    this.before[0] = distance;
  }

  /** Begins a region at its node 0, which knows the distances of the region before. */
  beginRegion(): void {
    this.cost[0] = 0;
    this.size[0] = 1;
    this.#cleared = 0;
    this.#lead = 0;
  }

  /** False for a node that costs no less than a later one. */
  isLive(node: number): boolean {
    return node <= this.#cleared && (this.#lead <= node || this.cost[node]! < this.#leadCost);
  }

  /** Leads from `node`, which costs `cost`, to the next one by a literal. */
  addLiteral(node: number, cost: number): void {
    const total = cost + COST.literal + (this.size[node] === 0 ? 0 : COST.add);
    const next = node + 1;
    if (next > this.#cleared) this.#clear(next);
    if (total >= this.cost[next]!) return;
    this.cost[next] = total;
    this.size[next] = 0;
    this.distance[next] = this.distance[node]!;
    this.before[next] = this.before[node]!;
  }

  /** Leads from `node` to a later one by a copy. `cost` counts all up to the copy but its size. */
  addCopy(node: number, size: number, distance: number, cost: number): void {
    const next = node + size;
    const total = cost + (size > LONGEST_SHORT ? COST.long : 0);
    if (next > this.#cleared) this.#clear(next);
    if (total >= this.cost[next]!) return;
    this.cost[next] = total;
    this.size[next] = size;
    this.distance[next] = distance;
    this.before[next] = distance === this.distance[node] ? this.before[node]! : this.distance[node]!;
    if (this.#lead <= node || total < this.#leadCost || next > this.#lead) {
      this.#lead = next;
      this.#leadCost = total;
    }
  }

  #clear(upTo: number): void {
    for (let node = this.#cleared + 1; node <= upTo; node++) this.cost[node] = FAR;
    this.#cleared = upTo;
  }

  /** Passes the copies on the path to `node` to `take`. `base` is the position of node 0. */
  trace(node: number, base: number, take: TakeCopy): void {
    let count = 0;
    for (let at = node; at > 0; at -= Math.max(1, this.size[at]!)) {
      if (this.size[at]! > 0) this.#path[count++] = at;
    }
    while (count > 0) {
      const end = this.#path[--count]!;
      const start = base + end - this.size[end]!;
      take(start, start + this.distance[end]!, this.size[end]!);
    }
  }

  /**
   * Gives node 0 the distances of `last`, for the next region. `copied` is the distance of a copy
   * after `last`, if there is one.
   */
  moveToStart(last: number, copied: number | undefined): void {
    const distance = this.distance[last]!;
    const before = this.before[last]!;
    this.distance[0] = copied ?? distance;
    this.before[0] = copied === undefined || copied === distance ? before : distance;
  }
}
