import { IntegrityError, NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { mayLeadToImage } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ArchiveFiles } from './archive.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { Reference } from '../oci/reference.ts';
import { canonicalReference, formatReference, parseReference } from '../oci/reference.ts';

/** What an entry of `index.json` or `manifest.json` is called. */
interface Names {
  /** Whole references. */
  full: Reference[];
  /** `org.opencontainers.image.ref.name` as it is, where nothing else names the image: often a tag alone. */
  loose?: string;
}

/** One entry at the top of an archive. */
export type ArchiveEntry = Names & ({ descriptor: Descriptor } | { item: DockerEntry });

/** An entry of `manifest.json`: https://github.com/moby/moby/blob/master/image/tarexport/tarexport.go */
export interface DockerEntry {
  config: string;
  layers: string[];
}

/** All entries at the top of the archive; throws UnsupportedError when it is no image archive. */
export async function readEntries(files: ArchiveFiles, where: string): Promise<ArchiveEntry[]> {
  const index = await files.read('index.json');
  const docker = await files.read('manifest.json');
  const items = docker === undefined ? [] : dockerEntries(docker, where);
  const entries = index === undefined ? [] : await ociEntries(files, index, items, where);
  if (entries.length > 0 || items.length > 0) return entries.length > 0 ? entries : items;
  if (index !== undefined || docker !== undefined) throw new NotFoundError(`${where}: holds no image`);
  throw new UnsupportedError(`${where}: no image archive: neither index.json nor manifest.json is in it`, {
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
  if (document.kind !== 'index') throw new IntegrityError(`${where}: index.json is no index`);
  const entries: ArchiveEntry[] = [];
  for (const descriptor of document.manifests.filter(mayLeadToImage)) {
    const names = namesOf(descriptor);
    const known = names.full.length > 0 ? names : await dockerNames(files, descriptor, items, names, where);
    entries.push({ ...known, descriptor });
  }
  return merged(entries);
}

function namesOf({ annotations = {} }: Descriptor): Names {
  const name = parsed(annotations['io.containerd.image.name']);
  const loose = annotations['org.opencontainers.image.ref.name'];
  if (name !== undefined) return { full: [name] };
  const full = loose !== undefined && /[:/]/.test(loose) ? parsed(loose) : undefined;
  if (full !== undefined) return { full: [full] };
  return loose === undefined ? { full: [] } : { full: [], loose };
}

/** The RepoTags in `manifest.json` of an entry that `index.json` does not name. */
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
function merged(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const byDigest = new Map<Digest, ArchiveEntry>();
  for (const entry of entries) {
    if (!('descriptor' in entry)) continue;
    const known = byDigest.get(entry.descriptor.digest);
    byDigest.set(
      entry.descriptor.digest,
      known === undefined ? entry : { ...known, full: [...known.full, ...entry.full] },
    );
  }
  return [...byDigest.values()];
}

function dockerEntries(bytes: Uint8Array, where: string): ArchiveEntry[] {
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new IntegrityError(`${where}: manifest.json: not valid JSON`, { cause: error });
  }
  if (!Array.isArray(list)) throw new IntegrityError(`${where}: manifest.json: expected a list`);
  return list.map((item: unknown) => dockerEntry(item, where));
}

function dockerEntry(value: unknown, where: string): ArchiveEntry {
  const item = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const layers = item['Layers'] ?? [];
  if (typeof item['Config'] !== 'string' || !isStrings(layers)) {
    throw new IntegrityError(`${where}: manifest.json: an entry has no Config or no list of Layers`);
  }
  const tags = isStrings(item['RepoTags']) ? item['RepoTags'] : [];
  const full = tags.map(parsed).filter((name) => name !== undefined);
  return { full, item: { config: item['Config'], layers } };
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function parsed(text: string | undefined): Reference | undefined {
  if (text === undefined) return undefined;
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** The entries for a reference; throws NotFoundError that names what is inside where none or nothing single is. */
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
  const name = parsed(loose);
  return loose === reference.tag || (name !== undefined && sameName(name, reference));
}

/** The same for entries that are one image: of one name, or nameless each. */
function labelOf(entry: ArchiveEntry): string {
  if (entry.full.length > 0) return entry.full.map(canonicalReference).sort().join(' ');
  return entry.loose ?? '';
}

function describe(entry: ArchiveEntry): string {
  if (entry.full.length > 0) return entry.full.map(formatReference).sort().join(', ');
  const unnamed = 'descriptor' in entry ? entry.descriptor.digest : entry.item.config;
  return entry.loose ?? `an unnamed image ${unnamed}`;
}
