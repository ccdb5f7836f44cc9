import { record, strings } from '../../mender/read/json.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseJsonIfAny } from '../../oci/json.ts';
import { parseManifest } from '../../oci/manifest.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { blobPath } from '../../oci/portable.ts';
import { canonicalReference, parseReference } from '../../oci/reference.ts';
import { twinKey } from '../../oci/twinKeys.ts';
import type { ImageContent } from './content.ts';
import { unlessDamaged } from './content.ts';

/**
 * Returns what is wrong with the documents of one image. Every image store must find the same
 * config, the same layers and the same name in them. Pure.
 */
export function documentProblems(image: ImageContent): string[] {
  const docker = dockerManifest(image);
  const manifest = ociManifest(image);
  if (docker === undefined) return ['it has no readable manifest.json'];
  if (manifest === undefined) return ['its index.json leads to no image manifest'];
  return [
    ...twinProblems(image),
    ...layoutProblems(image, docker, manifest.manifest),
    ...nameProblems(image, docker, manifest.names),
  ];
}

/** Docker runs the rest of a config alike, wherever the image comes from. */
const LAYER_KEYS = ['rootfs', 'diff_ids'];

/** Docker reads JSON with Go, which takes `config` for `Config` if it comes later. */
function twinProblems({ documents, report }: ImageContent): string[] {
  const config = report.configDigest === undefined ? undefined : blobPath(report.configDigest);
  return [...documents].flatMap(([path, bytes]) => {
    const options = path === config ? { only: LAYER_KEYS } : {};
    const key = jsonIfAny(bytes) === undefined ? undefined : twinKey(bytes.toString('utf8'), options);
    return key === undefined ? [] : [`${path} has two keys that Docker takes for the same: ${key}`];
  });
}

interface DockerManifest {
  config: string;
  names: string[];
  layers: string[];
}

function dockerManifest({ documents }: ImageContent): DockerManifest | undefined {
  const list = jsonIfAny(documents.get('manifest.json'));
  const [first, ...more] = Array.isArray(list) ? (list as unknown[]) : [];
  const entry = record(first);
  if (more.length > 0 || typeof entry['Config'] !== 'string') return undefined;
  return { config: entry['Config'], names: strings(entry['RepoTags']), layers: strings(entry['Layers']) };
}

interface OciManifest {
  manifest: Manifest;
  /** The image's names, for the containerd store and for other tools. */
  names: { full: string | undefined; tag: string | undefined };
}

function ociManifest({ documents }: ImageContent): OciManifest | undefined {
  const bytes = documents.get('index.json');
  const index = bytes && unlessDamaged(() => parseManifest(bytes, 'index.json'));
  const [entry, ...more] = index?.kind === 'index' ? index.manifests : [];
  const content = entry && documents.get(blobPath(entry.digest));
  if (entry === undefined || content === undefined || more.length > 0) return undefined;
  if (digestOf(content) !== entry.digest || content.length !== entry.size) return undefined;
  const manifest = unlessDamaged(() => parseManifest(content, 'manifest'));
  if (manifest?.kind !== 'manifest') return undefined;
  const { annotations = {} } = entry;
  const names = {
    full: annotations['io.containerd.image.name'],
    tag: annotations['org.opencontainers.image.ref.name'],
  };
  return { manifest, names };
}

/** Returns the bytes of each layer of the image, by position, from its manifest. */
export function promisedSizes(image: ImageContent): number[] {
  return ociManifest(image)?.manifest.layers.map(({ size }) => size) ?? [];
}

function layoutProblems(
  { report, config, documents }: ImageContent,
  docker: DockerManifest,
  manifest: Manifest,
): string[] {
  if (report.configDigest === undefined || config === undefined)
    return ['its config is missing or unreadable'];
  const { diffIDs } = config;
  const paths = diffIDs.map(blobPath);
  const problems = [
    [docker.config === blobPath(report.configDigest), 'manifest.json names another config than its digest'],
    [docker.layers.join() === paths.join(), 'manifest.json lists other layers than the config'],
    [
      manifest.config.digest === report.configDigest,
      'index.json and manifest.json lead to different configs',
    ],
    [
      manifest.layers.map(({ digest }) => digest).join() === diffIDs.join(),
      'its manifest lists other layers than the config',
    ],
    [documents.has('oci-layout'), 'it has no oci-layout'],
  ] as const;
  return problems.flatMap(([holds, problem]) => (holds ? [] : [problem]));
}

function nameProblems(
  { report, documents }: ImageContent,
  { names }: DockerManifest,
  { full, tag }: OciManifest['names'],
): string[] {
  const [name = '', ...more] = names;
  const reference = unlessDamaged(() => parseReference(name));
  if (more.length > 0 || reference?.tag === undefined || reference.digest !== undefined) {
    return [`manifest.json must give it one name with a tag, found ${names.join(', ') || 'none'}`];
  }
  const url = documents.get('url-new.txt')?.toString('utf8') ?? name;
  const said = [
    ['url-new.txt calls it', url, name],
    ['index.json calls it', full, canonicalReference(reference)],
    ['index.json gives it the tag', tag, reference.tag],
    ['the state script calls it', report.image, name],
  ] as const;
  return said.flatMap(([who, found, expected]) =>
    found === expected ? [] : [`${who} ${found ?? 'nothing'}, manifest.json ${expected}`],
  );
}

/** The JSON in the bytes; undefined if they are no JSON. */
export function jsonIfAny(bytes: Buffer | undefined): unknown {
  return bytes === undefined ? undefined : parseJsonIfAny(bytes.toString('utf8'));
}
