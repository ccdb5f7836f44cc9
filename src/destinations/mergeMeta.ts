import type { JsonObject } from './problems.ts';
import { isObject } from './problems.ts';

/**
 * Merges `high` over `low`, objects key by key. As in StArMap, an empty value in `high` (null,
 * false, 0, an empty text, list or object) does not replace an object in `low`; null replaces
 * anything else.
 */
export function mergeMeta(low: JsonObject, high: JsonObject): JsonObject {
  const names = [...new Set([...Object.keys(low), ...Object.keys(high)])];
  return Object.fromEntries(names.map((name) => [name, mergeValue(name, low, high)]));
}

function mergeValue(name: string, low: JsonObject, high: JsonObject): unknown {
  const [below, above] = [low[name], high[name]];
  if (!Object.hasOwn(high, name)) return below;
  if (!Object.hasOwn(low, name) || !isObject(below)) return above;
  if (isEmpty(above)) return below;
  return isObject(above) ? mergeMeta(below, above) : above;
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) ? Object.keys(value).length === 0 : !value;
}
