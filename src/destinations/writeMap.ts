import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { writeAtomically } from '../io/files.ts';
import type { JsonObject } from './problems.ts';
import type { Account, Entry } from './model.ts';

/** Entries as a map that reads back as the same entries, without anything empty. */
export function mapOf(entries: readonly Entry[]): JsonObject[] {
  return entries.map(({ name, workflow, cloud, accounts, billing_code_config: billing }) => {
    const mappings = Object.entries(accounts).map(([account, value]) => [account, accountOf(value)] as const);
    return {
      name,
      workflow,
      cloud,
      mappings: Object.fromEntries(mappings),
      ...(Object.keys(billing).length === 0 ? {} : { 'billing-code-config': billing }),
    };
  });
}

/**
 * Writes a map: JSON if the path ends with `.json`, else YAML. Throws UsageError if the file can't
 * be written.
 */
export async function writeMap(path: string, map: readonly JsonObject[]): Promise<void> {
  const text = path.endsWith('.json') ? `${JSON.stringify(map, null, 2)}\n` : stringify(map);
  await writeAtomically(path, (temporary) => writeFile(temporary, text));
}

function accountOf({ provider, destinations }: Account): JsonObject {
  // In reading, the account's provider overwrites those of its destinations.
  const written = destinations.map((one) => {
    const meta = Object.keys(one.meta ?? {}).length === 0 ? null : one.meta;
    return withoutNulls({ ...one, meta, provider: null });
  });
  return withoutNulls({ provider, destinations: written });
}

function withoutNulls(value: object): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null));
}
