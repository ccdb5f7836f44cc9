import { IntegrityError, NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { mayLeadToImage } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { LayoutFiles } from './layoutFiles.ts';
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
export type Root = Names & ({ descriptor: Descriptor } | { item: DockerItem });

/** An entry of `manifest.json`: https://github.com/moby/moby/blob/master/image/tarexport/tarexport.go */
export interface DockerItem {
  config: string;
  layers: string[];
}

/** All entries at the top of the archive; throws UnsupportedError when it is no image archive. */
export async function rootsOf(files: LayoutFiles, where: string): Promise<Root[]> {
  const index = await files.read('index.json');
  const docker = await files.read('manifest.json');
  const items = docker === undefined ? [] : dockerRoots(docker, where);
  const roots = index === undefined ? [] : await ociRoots(files, index, items, where);
  if (roots.length > 0 || items.length > 0) return roots.length > 0 ? roots : items;
  if (index !== undefined || docker !== undefined) throw new NotFoundError(`${where}: holds no image`);
  throw new UnsupportedError(`${where}: no image archive: neither index.json nor manifest.json is in it`, {
    hint: 'give an OCI archive, an OCI layout folder, or what docker save writes',
  });
}

async function ociRoots(
  files: LayoutFiles,
  index: Uint8Array,
  items: readonly Root[],
  where: string,
): Promise<Root[]> {
  const document = parseManifest(index, `${where}: index.json`);
  if (document.kind !== 'index') throw new IntegrityError(`${where}: index.json is no index`);
  const roots: Root[] = [];
  for (const descriptor of document.manifests.filter(mayLeadToImage)) {
    const names = namesOf(descriptor);
    const known = names.full.length > 0 ? names : await dockerNames(files, descriptor, items, names, where);
    roots.push({ ...known, descriptor });
  }
  return merged(roots);
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
  files: LayoutFiles,
  descriptor: Descriptor,
  items: readonly Root[],
  names: Names,
  where: string,
): Promise<Names> {
  if (items.length === 0) return names;
  const bytes = await files.read(`blobs/sha256/${descriptor.digest.slice('sha256:'.length)}`);
  if (bytes === undefined) return names;
  const manifest = parseManifest(bytes, `${where}: ${descriptor.digest}`, descriptor.mediaType);
  if (manifest.kind !== 'manifest') return names;
  const hex = manifest.config.digest.slice('sha256:'.length);
  const full = items.flatMap((root) => ('item' in root && root.item.config.includes(hex) ? root.full : []));
  return full.length > 0 ? { full } : names;
}

/** An image with several names has an entry for each. */
function merged(roots: readonly Root[]): Root[] {
  const byDigest = new Map<Digest, Root>();
  for (const root of roots) {
    if (!('descriptor' in root)) continue;
    const known = byDigest.get(root.descriptor.digest);
    byDigest.set(
      root.descriptor.digest,
      known === undefined ? root : { ...known, full: [...known.full, ...root.full] },
    );
  }
  return [...byDigest.values()];
}

function dockerRoots(bytes: Uint8Array, where: string): Root[] {
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new IntegrityError(`${where}: manifest.json: not valid JSON`, { cause: error });
  }
  if (!Array.isArray(list)) throw new IntegrityError(`${where}: manifest.json: expected a list`);
  return list.map((item: unknown) => dockerRoot(item, where));
}

function dockerRoot(value: unknown, where: string): Root {
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
export function chooseRoots(roots: readonly Root[], reference: Reference, where: string): Root[] {
  const tests = [
    (root: Root) => 'descriptor' in root && root.descriptor.digest === reference.digest,
    (root: Root) => root.full.some((name) => sameName(name, reference)),
    (root: Root) => root.loose !== undefined && isLooselyCalled(root.loose, reference),
  ];
  for (const test of tests) {
    const matching = roots.filter(test);
    if (matching.length > 0) return matching;
  }
  if (new Set(roots.map(labelOf)).size === 1) return [...roots];
  const inside = [...new Set(roots.map(describe))].sort().join(', ');
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
function labelOf(root: Root): string {
  if (root.full.length > 0) return root.full.map(canonicalReference).sort().join(' ');
  return root.loose ?? '';
}

function describe(root: Root): string {
  if (root.full.length > 0) return root.full.map(formatReference).sort().join(', ');
  const unnamed = 'descriptor' in root ? root.descriptor.digest : root.item.config;
  return root.loose ?? `an unnamed image ${unnamed}`;
}
