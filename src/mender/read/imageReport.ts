import { formatPlatform } from '../../oci/platform.ts';
import type { Digest } from '../../oci/digest.ts';
import { digestOf, isDigest } from '../../oci/digest.ts';
import { record, strings } from './json.ts';
import type { ImageReport, LayerReport } from './report.ts';

/** The name of the file with tar headers for the state script. */
export const HEADERS = 'headers';

/** The name of the file with the decoder of patches. */
export const DECODER = 'decoder';

/** What was seen of an image while its files passed. */
export interface ImageFiles {
  id: string;
  /** Trimmed content of the small files next to `image.img`. */
  texts: Map<string, string>;
  /** Bytes of each file of the image. */
  sizes: Map<string, number>;
  /** Content of the files whose first byte is `{` or `[`. */
  json: Map<string, Buffer>;
  /** Trimmed content of the `.source` files. */
  sources: Map<string, string>;
  /** The tar headers of the layers, for the state script. */
  headers?: Buffer;
  /** The program in the place of an image that decodes patches. */
  decoder?: Buffer;
  imageDelta?: number;
}

export function newImageFiles(id: string): ImageFiles {
  return { id, texts: new Map(), sizes: new Map(), json: new Map(), sources: new Map() };
}

/** What the state script's plan says of one image. */
export interface ScriptedImage {
  /** Name of the base image; undefined if it has none. */
  base?: string;
  /** Its deltas by diffID: the base layer, and the decoder's buffer or memory in bytes. */
  deltas: Map<string, { from: Digest; buffer: number }>;
}

/**
 * The image as plain data, and its config if the artifact has it. `planned` is what the plan of the
 * state script says of it.
 */
export function imageReport(
  files: ImageFiles,
  planned: ScriptedImage | undefined,
): { report: ImageReport; config?: Buffer } {
  const manifest = record(firstOf(json(files, 'manifest.json')));
  const configPath = typeof manifest['Config'] === 'string' ? manifest['Config'] : undefined;
  const config = configPath === undefined ? undefined : files.json.get(configPath);
  const { imageDelta } = files;
  return {
    report: {
      folder: files.id,
      ...namesOf(files, manifest, planned?.base),
      ...configPart(config),
      layers: layersOf(files, strings(manifest['Layers']), diffIDsOf(config), planned?.deltas),
      ...(imageDelta === undefined ? {} : { imageDelta }),
    },
    ...(config === undefined ? {} : { config }),
  };
}

function namesOf(
  files: ImageFiles,
  manifest: Record<string, unknown>,
  planned: string | undefined,
): Pick<ImageReport, 'image' | 'base'> {
  const image = files.texts.get('url-new.txt') ?? strings(manifest['RepoTags'])[0];
  const deep = files.texts.has('deep_delta') || files.imageDelta !== undefined;
  const base = deep ? files.texts.get('url-current.txt') : planned;
  return { ...(image === undefined ? {} : { image }), ...(base === undefined ? {} : { base }) };
}

function configPart(config: Buffer | undefined): Pick<ImageReport, 'configDigest' | 'platform'> {
  if (config === undefined) return {};
  const platform = configPlatform(config);
  return { configDigest: digestOf(config), ...(platform === undefined ? {} : { platform }) };
}

/**
 * The platform in an image's config, `os/arch[/variant]`; undefined if the JSON is not a config.
 */
export function configPlatform(config: Buffer): string | undefined {
  const { os, architecture, variant } = record(parsed(config));
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return formatPlatform({ os, architecture, ...(typeof variant === 'string' ? { variant } : {}) });
}

function diffIDsOf(config: Buffer | undefined): string[] {
  return config === undefined ? [] : strings(record(record(parsed(config))['rootfs'])['diff_ids']);
}

function layersOf(
  files: ImageFiles,
  paths: readonly string[],
  diffIDs: readonly string[],
  planned: ScriptedImage['deltas'] = new Map(),
): LayerReport[] {
  return paths.map((path, position) => {
    const diffID = diffIDs[position];
    const known = diffID !== undefined && isDigest(diffID) ? { diffID } : {};
    const whole = files.sizes.get(path);
    const patch = files.sizes.get(`${path}.patch`);
    const delta = patch ?? files.sizes.get(`${path}.vcdiff`);
    if (delta !== undefined) {
      const line = planned.get(diffID ?? '');
      const from = digestIn(files.sources.get(`${path}.source`)) ?? line?.from;
      const format = formatOf(patch !== undefined, line?.buffer);
      return { ...known, kind: 'delta', ...format, sent: delta, ...(from === undefined ? {} : { from }) };
    }
    return whole === undefined
      ? { ...known, kind: 'omit', sent: 0 }
      : { ...known, kind: 'full', sent: whole };
  });
}

/** `buffer`: bytes of the decoder's buffer or memory, if a plan says them. */
function formatOf(isPatch: boolean, buffer: number | undefined): Partial<LayerReport> {
  if (isPatch) return { format: 'patch', ...(buffer === undefined ? {} : { memory: buffer }) };
  return buffer === undefined ? {} : { buffer };
}

/** Files that make an archive of an image, in an OCI layout or as `docker save` writes it. */
const ARCHIVE_FILES = ['manifest.json', 'index.json', 'oci-layout', 'repositories'];

/** Paths of the files that neither of the image's manifests refers to. */
export function strayFiles(files: ImageFiles): string[] {
  const docker = record(firstOf(json(files, 'manifest.json')));
  const index = record(json(files, 'index.json'));
  const entries = Array.isArray(index['manifests']) ? (index['manifests'] as unknown[]) : [];
  const manifests = strings(entries.map((entry) => record(entry)['digest']));
  const layers = strings(docker['Layers']);
  const used = new Set([
    ...ARCHIVE_FILES,
    ...(files.headers === undefined ? [] : [HEADERS]),
    ...strings([docker['Config']]),
    ...manifests.map((digest) => `blobs/${digest.replace(':', '/')}`),
    ...layers.flatMap((path) => [path, `${path}.vcdiff`, `${path}.patch`, `${path}.source`]),
  ]);
  return [...files.sizes.keys()].filter((path) => !used.has(path));
}

/** The digest in a path like `blobs/sha256/<hex>`. */
function digestIn(source: string | undefined): Digest | undefined {
  const digest = `sha256:${/([0-9a-f]{64})$/.exec(source ?? '')?.[1] ?? ''}`;
  return isDigest(digest) ? digest : undefined;
}

const DELTA_KINDS: ReadonlySet<string> = new Set(['delta', 'patch']);

/**
 * Returns what a plan says of each image, by its number. The lines are like
 * `image <number> <base or -> ...` and `layer <number> delta <hex> <size> <hex of the base layer>`,
 * or `patch` in the place of `delta`.
 */
export function readPlan(plan: string): Map<string, ScriptedImage> {
  const images = new Map<string, ScriptedImage>();
  for (const line of plan.split('\n')) {
    const [word, number = '', second = ''] = line.split(' ', 3);
    const image: ScriptedImage = images.get(number) ?? { deltas: new Map() };
    if (word === 'image' && second !== '-') image.base ??= second;
    if (word === 'layer' && DELTA_KINDS.has(second)) addDelta(line, image);
    if (word === 'image' || word === 'layer') images.set(number, image);
  }
  return images;
}

function addDelta(line: string, { deltas }: ScriptedImage): void {
  const [, , , hex = '', , from = '', , , buffer = ''] = line.split(' ', 9);
  deltas.set(`sha256:${hex}`, { from: `sha256:${from}`, buffer: bytesIn(buffer) });
}

/** A number of bytes; 0 for anything else. */
function bytesIn(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

function json(files: ImageFiles, path: string): unknown {
  const content = files.json.get(path);
  return content === undefined ? undefined : parsed(content);
}

function parsed(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}
