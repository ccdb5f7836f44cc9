import { fallback, literal, looseObject, optional, safeParse, string, strictTuple } from 'valibot';
import type { Digest } from '../../oci/digest.ts';
import type { FoundEntry } from '../../oci/entryStore.ts';
import { CREATED } from '../../oci/fileManifest.ts';
import { BYTES, DIGEST, parseJsonIfAny } from '../../oci/json.ts';
import type { NewBlob } from './uploadBlob.ts';
import type { NewFile } from './pushFile.ts';

/** The artifact type of an entry. */
const ENTRY_TYPE = 'application/vnd.mender-docker-delta.cache.v1';
const ENTRY_FILE = 'application/octet-stream';
const DAY_MS = 24 * 3_600_000;

/**
 * Returns an entry as a file to push. The manifest has the day (UTC) but no time: writers of one
 * day store equal bytes. It also has the tag, so two tags never share a manifest. `now`:
 * milliseconds since 1970. Pure.
 */
export function entryFile(tag: string, blob: NewBlob, now: number): NewFile & { tag: string } {
  const created = `${new Date(now).toISOString().slice(0, 10)}T00:00:00Z`;
  return {
    ...{ artifactType: ENTRY_TYPE, mediaType: ENTRY_FILE, title: tag, blob, tag },
    annotations: { [CREATED]: created },
  };
}

const MANIFEST = looseObject({
  artifactType: literal(ENTRY_TYPE),
  layers: strictTuple([looseObject({ digest: DIGEST, size: BYTES })]),
  annotations: fallback(optional(looseObject({ [CREATED]: fallback(optional(string()), '') })), {}),
});

/** What the manifest of an entry says. */
export interface EntryManifest extends FoundEntry {
  /** Digest of the file. */
  digest: Digest;
  /** Bytes of the file. */
  size: number;
}

/** Returns what the manifest of an entry says, or undefined for one of something else. Pure. */
export function parseEntry(manifest: Buffer): EntryManifest | undefined {
  const read = safeParse(MANIFEST, parseJsonIfAny(manifest.toString('utf8')));
  if (!read.success) return undefined;
  const { layers, annotations } = read.output;
  const [{ digest, size }] = layers;
  return { digest, size, stored: endOfDay(annotations?.[CREATED] ?? '') };
}

/** The end of the day, so that no entry counts as older than it is. */
function endOfDay(created: string): number {
  const day = /^\d{4}-\d\d-\d\dT00:00:00Z$/.test(created) ? Date.parse(created) : NaN;
  return Number.isNaN(day) ? 0 : day + DAY_MS;
}
