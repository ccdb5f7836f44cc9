import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { resolve } from 'node:path';
import { folderShelf } from '../../cache/shared/folderShelf.ts';
import { folderStore } from '../../cache/shared/folderStore.ts';
import { SharedCache } from '../../cache/shared/sharedCache.ts';
import { UsageError } from '../../errors.ts';
import type { EntryShelf, EntryStore } from '../../oci/entryStore.ts';
import { readUserFile } from '../../io/readUserFile.ts';
import type { FilesContext, RegistryAccess } from '../../registry/files/context.ts';
import { openFiles } from '../../registry/files/context.ts';
import { registryStore } from '../../registry/files/entryStore.ts';
import { registryShelf } from '../../registry/files/registryShelf.ts';
import type { CachePlace, SHARED_CACHE_OPTIONS } from '../options/sharedCache.ts';
import { parseCachePlace } from '../options/sharedCache.ts';
import type { Context, FlagsOf } from '../terminal/command.ts';

export type SharedCacheFlags = FlagsOf<typeof SHARED_CACHE_OPTIONS> & { insecureRegistry?: string[] };

/**
 * Opens what the flags say about sharing. Undefined if they say nothing. Sends and reads nothing
 * yet. Throws UsageError for an invalid place, and for a key without any.
 */
export function openSharedCache(
  flags: SharedCacheFlags,
  context: Context,
  access: RegistryAccess,
): SharedCache | undefined {
  const { cacheFrom = [], cacheTo = [], cacheKey } = flags;
  if (cacheFrom.length + cacheTo.length === 0) {
    if (cacheKey === undefined) return undefined;
    throw new UsageError('--cache-key: there is nothing to use the key for', {
      hint: 'name a shared cache with --cache-from or --cache-to',
    });
  }
  const { folder, log, signal } = context;
  const from = cacheFrom.map((text) => parseCachePlace(text, '--cache-from', folder));
  const to = cacheTo.map((text) => parseCachePlace(text, '--cache-to', folder));
  return new SharedCache({
    from: from.map((place) => openPlace(place, () => openFiles(access, 'pull', signal))),
    to: to.map((place) => openPlace(place, () => openFiles(access, 'pull,push', signal))),
    readKey: cacheKey === undefined ? undefined : () => readCacheKey(resolve(folder, cacheKey)),
    ...{ log, signal },
  });
}

function openPlace(place: CachePlace, open: () => FilesContext): EntryStore {
  return place.type === 'local' ? folderStore(place.folder) : registryStore(place.reference, open());
}

/** Opens a place to list what it holds, and to delete from it unless `dryRun` is set. */
export function openShelf(
  place: CachePlace,
  { dryRun }: { dryRun: boolean },
  access: RegistryAccess,
  signal: AbortSignal,
): EntryShelf {
  if (place.type === 'local') return folderShelf(place.folder);
  return registryShelf(place.reference, openFiles(access, dryRun ? 'pull' : 'pull,push,delete', signal));
}

/** The types that sign. X25519 and DSA keys have PEM files as well. */
const KEY_TYPES = ['rsa', 'ec', 'ed25519', 'ed448'];

/**
 * Either half of a key pair. Throws UsageError for anything else, and for a key with a passphrase.
 */
async function readCacheKey(path: string): Promise<KeyObject> {
  const doing = `reading the key ${path}`;
  const pem = await readUserFile(path, { doing, hint: 'check --cache-key' });
  const key = parseKey(pem);
  const type = key?.asymmetricKeyType;
  if (key !== undefined && type !== undefined && KEY_TYPES.includes(type)) return key;
  const expected =
    key === undefined
      ? 'a key in PEM without a passphrase'
      : `an RSA, ECDSA, Ed25519 or Ed448 key, found ${type ?? 'another'}`;
  throw new UsageError(`${doing}: expected ${expected}`, {
    hint: 'make one with: openssl genpkey -algorithm ed25519 -out cache-key.pem',
  });
}

function parseKey(pem: Buffer): KeyObject | undefined {
  for (const parse of [createPrivateKey, createPublicKey]) {
    try {
      return parse(pem);
    } catch {
      // It may be the other half.
    }
  }
  return undefined;
}
