import { array, fallback, nullish, object, string } from 'valibot';
import { IntegrityError, NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { mayLeadToImage } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ArchiveFiles } from './archive.ts';
import { checked, parseJson } from '../oci/json.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { Reference } from '../oci/reference.ts';
import { canonicalReference, formatReference, parseReference } from '../oci/reference.ts';

/** The names of an entry of `index.json` or `manifest.json`. */
interface Names {
  /** Whole references. */
  full: Reference[];
  /**
   * `org.opencontainers.image.ref.name` as it is, where nothing else names the image: often a tag
   * alone.
   */
  loose?: string;
}

/** One entry at the top of an archive. */
export type ArchiveEntry = Names & ({ descriptor: Descriptor } | { item: DockerEntry });

/**
 * An entry of `manifest.json`:
 * https://github.com/moby/moby/blob/master/image/tarexport/tarexport.go
 */
export interface DockerEntry {
  config: string;
  layers: string[];
}

/**
 * Reads the entries at the top of an archive. Throws UnsupportedError if it is not an image
 * archive.
 */
export async function readEntries(files: ArchiveFiles, where: string): Promise<ArchiveEntry[]> {
  const index = await files.read('index.json');
  const docker = await files.read('manifest.json');
  const items = docker === undefined ? [] : dockerEntries(docker, where);
  const entries = index === undefined ? [] : await ociEntries(files, index, items, where);
  if (entries.length > 0 || items.length > 0) return entries.length > 0 ? entries : items;
  if (index !== undefined || docker !== undefined) throw new NotFoundError(`${where}: holds no image`);
  throw new UnsupportedError(`${where}: not an image archive: it has neither index.json nor manifest.json`, {
    hint: 'give an OCI archive, an OCI layout folder, or what docker save writes',
  });
}

async function ociEntries(
  files: ArchiveFiles,
  index: Uint8Array,
  items: readonly ArchiveEntry[],
  where: string,
): Promise<ArchiveEntry[]> {
  const document = parseManifest(index, `${where}: index.json`);
  if (document.kind !== 'index') throw new IntegrityError(`${where}: index.json is not an index`);
  const entries: ArchiveEntry[] = [];
  for (const descriptor of document.manifests.filter(mayLeadToImage)) {
    const names = namesOf(descriptor);
    const known = names.full.length > 0 ? names : await dockerNames(files, descriptor, items, names, where);
    entries.push({ ...known, descriptor });
  }
  const [odd] = document.odd;
  if (odd !== undefined && entries.length === 0) {
    const Failure = odd.isDamaged ? IntegrityError : UnsupportedError;
    throw new Failure(`${where}: index.json has an entry that can't be used: ${odd.problem}`);
  }
  return mergeEntries(entries);
}

function namesOf({ annotations = {} }: Descriptor): Names {
  const name = referenceOrUndefined(annotations['io.containerd.image.name']);
  const loose = annotations['org.opencontainers.image.ref.name'];
  if (name !== undefined) return { full: [name] };
  const full = loose !== undefined && /[:/]/.test(loose) ? referenceOrUndefined(loose) : undefined;
  if (full !== undefined) return { full: [full] };
  return loose === undefined ? { full: [] } : { full: [], loose };
}

/** Returns the RepoTags in `manifest.json` for an entry that `index.json` does not name. */
async function dockerNames(
  files: ArchiveFiles,
  descriptor: Descriptor,
  items: readonly ArchiveEntry[],
  names: Names,
  where: string,
): Promise<Names> {
  if (items.length === 0) return names;
  const bytes = await files.read(`blobs/sha256/${descriptor.digest.slice('sha256:'.length)}`);
  if (bytes === undefined) return names;
  const manifest = parseManifest(bytes, `${where}: ${descriptor.digest}`, descriptor.mediaType);
  if (manifest.kind !== 'manifest') return names;
  const hex = manifest.config.digest.slice('sha256:'.length);
  const full = items.flatMap((entry) =>
    'item' in entry && entry.item.config.includes(hex) ? entry.full : [],
  );
  return full.length > 0 ? { full } : names;
}

/** An image with several names has an entry for each. */
function mergeEntries(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const byDigest = new Map<Digest, ArchiveEntry>();
  for (const entry of entries) {
    if (!('descriptor' in entry)) continue;
    const known = byDigest.get(entry.descriptor.digest);
    if (known === undefined) byDigest.set(entry.descriptor.digest, { ...entry, full: [...entry.full] });
    else for (const one of entry.full) known.full.push(one);
  }
  return [...byDigest.values()];
}

const TAGS = fallback(nullish(array(string()), []), []);
const DOCKER_ENTRIES = array(
  object({ Config: string(), Layers: nullish(array(string()), []), RepoTags: TAGS }),
);

function dockerEntries(bytes: Uint8Array, where: string): ArchiveEntry[] {
  const json = parseJson(bytes, `${where}: manifest.json`);
  if (isManifest(json)) throw dirLayout(where);
  const list = checked(json, DOCKER_ENTRIES, `${where}: manifest.json`);
  return list.map(({ Config: config, Layers: layers, RepoTags: tags }) => ({
    full: tags.map(referenceOrUndefined).filter((name) => name !== undefined),
    item: { config, layers },
  }));
}

/** True for a registry's manifest in place of Docker's list. */
function isManifest(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'schemaVersion' in json;
}

function dirLayout(where: string): UnsupportedError {
  return new UnsupportedError(`${where}: a folder in skopeo's layout dir:, which is not supported`, {
    hint: 'copy it into an OCI archive: skopeo copy dir:FOLDER oci-archive:FILE',
  });
}

function referenceOrUndefined(text: string | undefined): Reference | undefined {
  if (text === undefined) return undefined;
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/**
 * Returns the entries for a reference. Throws NotFoundError, listing the archive's content, if no
 * entry or several entries match.
 */
export function chooseEntries(
  entries: readonly ArchiveEntry[],
  reference: Reference,
  where: string,
): ArchiveEntry[] {
  const tests = [
    (entry: ArchiveEntry) => 'descriptor' in entry && entry.descriptor.digest === reference.digest,
    (entry: ArchiveEntry) => entry.full.some((name) => sameName(name, reference)),
    (entry: ArchiveEntry) => entry.loose !== undefined && isLooselyCalled(entry.loose, reference),
  ];
  for (const test of tests) {
    const matching = entries.filter(test);
    if (matching.length > 0) return matching;
  }
  if (new Set(entries.map(labelOf)).size === 1) return [...entries];
  const inside = [...new Set(entries.map(describe))].sort().join(', ');
  throw new NotFoundError(`${where}: no image ${formatReference(reference)}; it holds ${inside}`, {
    hint: 'name one of these, or make an archive of the one image',
  });
}

function sameName(name: Reference, wanted: Reference): boolean {
  const { registry, repository, tag } = name;
  const sameRepository = registry === wanted.registry && repository === wanted.repository;
  return sameRepository && (wanted.tag === undefined || tag === wanted.tag);
}

function isLooselyCalled(loose: string, reference: Reference): boolean {
  const name = referenceOrUndefined(loose);
  return loose === reference.tag || (name !== undefined && sameName(name, reference));
}

/** Returns the same text for entries that are one image: with one name, or without any. */
function labelOf(entry: ArchiveEntry): string {
  if (entry.full.length > 0) return entry.full.map(canonicalReference).sort().join(' ');
  return entry.loose ?? '';
}

function describe(entry: ArchiveEntry): string {
  if (entry.full.length > 0) return entry.full.map(formatReference).sort().join(', ');
  const unnamed = 'descriptor' in entry ? entry.descriptor.digest : entry.item.config;
  return entry.loose ?? `an unnamed image ${unnamed}`;
}
