import { UsageError } from '../errors.ts';

/** A part of the work: number `index` of `count`, counted from 1. */
export interface Shard {
  index: number;
  count: number;
}

/** Parses `2/5`. Throws UsageError for another form and for a part that does not exist. Pure. */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index >= 1 && shard.index <= shard.count) return shard;
  throw new UsageError(`--shard ${JSON.stringify(text)}: expected PART/PARTS, like 2/5`, {
    hint: 'parts are counted from 1 up to their number',
  });
}

/**
 * Returns the items of one part, in their order. All parts have about the same work, and the same
 * items and work always give the same parts. Pure.
 */
export function shardOf<Item>(
  items: readonly Item[],
  workOf: (item: Item) => number,
  { index, count }: Shard,
): Item[] {
  const loads = Array.from({ length: count }, () => 0);
  const part = new Map<Item, number>();
  // The largest first, each to the part with the least work.
  for (const item of [...items].sort((a, b) => workOf(b) - workOf(a))) {
    const least = loads.indexOf(loads.reduce((least, one) => Math.min(least, one)));
    loads[least] = (loads[least] ?? 0) + workOf(item);
    part.set(item, least);
  }
  return items.filter((item) => part.get(item) === index - 1);
}
