import { IntegrityError } from '../../errors.ts';
import { foldedKey, twinKey } from '../../oci/twinKeys.ts';

/** How devices read the keys of a JSON file in the header. */
export interface HeaderKeys {
  /** Fields that Go finds in any case of their letters. */
  fields: readonly string[];
  /** Names of objects with keys that are data, which Go compares letter by letter. */
  maps: readonly string[] | 'all';
}

export const VERSION_KEYS: HeaderKeys = { fields: ['format', 'version'], maps: [] };

export const HEADER_INFO_KEYS: HeaderKeys = {
  fields: [
    'payloads',
    'type',
    'artifact_provides',
    'artifact_name',
    'artifact_group',
    'artifact_depends',
    'device_type',
  ],
  maps: [],
};

export const TYPE_INFO_KEYS: HeaderKeys = {
  fields: ['type', 'artifact_depends', 'artifact_provides', 'clears_artifact_provides'],
  maps: ['artifact_depends', 'artifact_provides'],
};

export const META_DATA_KEYS: HeaderKeys = { fields: [], maps: 'all' };

/** Names that JavaScript gives a meaning: readers of JSON leave such keys out. */
const HIDDEN = ['__proto__', 'constructor', 'prototype'];

/**
 * Throws IntegrityError for a key that programs read in different ways: a repeated one, a field in
 * another case, or one that JavaScript hides. `text` is the valid JSON of `value`. `where` names
 * it.
 */
export function expectClearKeys(text: string, value: unknown, keys: HeaderKeys, where: string): void {
  const { maps } = keys;
  const twin = twinKey(text, { isMap: maps === 'all' ? () => true : (name) => maps.includes(name) });
  if (twin !== undefined) {
    throw new IntegrityError(`${where} has two keys that devices take for the same: ${JSON.stringify(twin)}`);
  }
  const unclear = unclearKey(value, keys);
  if (unclear === undefined) return;
  throw new IntegrityError(`${where}: programs read the key ${JSON.stringify(unclear)} in different ways`);
}

function unclearKey(value: unknown, { fields, maps }: HeaderKeys): string | undefined {
  const isUnclear = (key: string, isData: boolean): boolean =>
    HIDDEN.includes(key) || (!isData && !fields.includes(key) && fields.includes(foldedKey(key)));
  const open = [{ value, isData: maps === 'all' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value: item, isData } = next;
    if (typeof item !== 'object' || item === null) continue;
    for (const [key, inner] of Object.entries(item)) {
      if (!Array.isArray(item) && isUnclear(key, isData)) return key;
      open.push({ value: inner as unknown, isData: isData || (maps !== 'all' && maps.includes(key)) });
    }
  }
  return undefined;
}
