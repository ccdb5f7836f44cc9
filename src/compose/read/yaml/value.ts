/** A YAML value as plain data. Integers beyond 2^53 are bigints and so keep every digit. */
export type Value = null | boolean | number | bigint | string | Value[] | Mapping | Tagged;

export interface Mapping {
  [key: string]: Value;
}

/**
 * A value with one of Compose's merge tags: `!reset` removes the value of earlier files,
 * `!override` replaces it.
 * https://github.com/compose-spec/compose-spec/blob/main/13-merge.md#reset-value
 */
export class Tagged {
  readonly tag: 'reset' | 'override';
  readonly value: Value;

  constructor(tag: 'reset' | 'override', value: Value) {
    this.tag = tag;
    this.value = value;
  }
}

export function isMapping(value: Value | undefined): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Tagged);
}

/** `value` if it is a mapping, else an empty mapping. */
export function asMapping(value: Value | undefined): Mapping {
  return isMapping(value) ? value : {};
}

/** The items of a list. A single value is a list of one, null and undefined are an empty list. */
export function asList(value: Value | undefined): Value[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** The text of a scalar as Compose writes it into an environment, or '' for anything else. */
export function scalarText(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : '';
}

/** A copy of the tree with `change` applied to every string value; keys stay as they are. */
export function mapStrings(value: Value, change: (text: string) => string): Value {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (value instanceof Tagged) return new Tagged(value.tag, mapStrings(value.value, change));
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)]));
}

/** A copy of the tree without merge tags: reset values are removed, overriding ones unwrapped. */
export function withoutTags(value: Value): Value {
  if (value instanceof Tagged) return value.tag === 'reset' ? null : withoutTags(value.value);
  if (Array.isArray(value)) return value.filter((item) => !isReset(item)).map(withoutTags);
  if (!isMapping(value)) return value;
  const kept = Object.entries(value).filter(([, item]) => !isReset(item));
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutTags(item)]));
}

function isReset(value: Value): boolean {
  return value instanceof Tagged && value.tag === 'reset';
}
