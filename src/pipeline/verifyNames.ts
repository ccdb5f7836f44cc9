import { parse } from 'yaml';
import { digestOf } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { Manifest } from '../oci/manifest.ts';
import { blobPath } from '../oci/portable.ts';
import { canonicalReference, formatReference, parseReference } from '../oci/reference.ts';
import type { ArtifactContent, ImageContent } from './verifyContent.ts';
import { readable } from './verifyContent.ts';

const MOST_ALIASES = 1000;

/**
 * What is wrong with the documents of one image: every image store must find the same config, the same layers and the same
 * name in them. Pure; empty where nothing is.
 */
export function documentProblems(image: ImageContent): string[] {
  const docker = dockerManifest(image);
  const manifest = ociManifest(image);
  if (docker === undefined) return ['it has no readable manifest.json'];
  if (manifest === undefined) return ['its index.json leads to no image manifest'];
  return [...layoutProblems(image, docker, manifest.manifest), ...nameProblems(image, docker, manifest.names)];
}

interface DockerManifest {
  config: string;
  names: string[];
  layers: string[];
}

function dockerManifest({ documents }: ImageContent): DockerManifest | undefined {
  const list = jsonOf(documents.get('manifest.json'));
  const [entry, ...more] = Array.isArray(list) ? (list as unknown[]) : [];
  if (!isObject(entry) || more.length > 0 || typeof entry['Config'] !== 'string') return undefined;
  return { config: entry['Config'], names: strings(entry['RepoTags']), layers: strings(entry['Layers']) };
}

interface OciManifest {
  manifest: Manifest;
  /** Of the image, as the containerd store and other tools read them. */
  names: { full: string | undefined; tag: string | undefined };
}

function ociManifest({ documents }: ImageContent): OciManifest | undefined {
  const bytes = documents.get('index.json');
  const index = bytes && readable(() => parseManifest(bytes, 'index.json'));
  const [entry, ...more] = index?.kind === 'index' ? index.manifests : [];
  const content = entry && documents.get(blobPath(entry.digest));
  if (entry === undefined || content === undefined || more.length > 0) return undefined;
  if (digestOf(content) !== entry.digest || content.length !== entry.size) return undefined;
  const manifest = readable(() => parseManifest(content, 'manifest'));
  if (manifest?.kind !== 'manifest') return undefined;
  const { annotations = {} } = entry;
  const names = {
    full: annotations['io.containerd.image.name'],
    tag: annotations['org.opencontainers.image.ref.name'],
  };
  return { manifest, names };
}

/** Bytes of each layer of the image, by position, as its manifest has them. */
export function promisedSizes(image: ImageContent): number[] {
  return ociManifest(image)?.manifest.layers.map(({ size }) => size) ?? [];
}

function layoutProblems(
  { report, config, documents }: ImageContent,
  docker: DockerManifest,
  manifest: Manifest,
): string[] {
  if (report.configDigest === undefined || config === undefined) return ['its config is missing or unreadable'];
  const { diffIDs } = config;
  const paths = diffIDs.map(blobPath);
  const problems = [
    [docker.config === blobPath(report.configDigest), 'manifest.json names another config than its digest'],
    [docker.layers.join() === paths.join(), 'manifest.json lists other layers than the config'],
    [manifest.config.digest === report.configDigest, 'index.json and manifest.json lead to different configs'],
    [manifest.layers.map(({ digest }) => digest).join() === diffIDs.join(), 'its manifest lists other layers than the config'],
    [documents.has('oci-layout'), 'it has no oci-layout'],
  ] as const;
  return problems.flatMap(([holds, problem]) => (holds ? [] : [problem]));
}

function nameProblems(
  { report, documents }: ImageContent,
  docker: DockerManifest,
  { full, tag }: OciManifest['names'],
): string[] {
  const [name, ...more] = docker.names;
  const reference = name === undefined ? undefined : readable(() => parseReference(name));
  if (name === undefined || more.length > 0 || reference?.tag === undefined || reference.digest !== undefined) {
    return [`manifest.json must give it one name with a tag, found ${docker.names.join(', ') || 'none'}`];
  }
  const url = documents.get('url-new.txt')?.toString('utf8') ?? name;
  return [
    ...(url === name ? [] : [`url-new.txt calls it ${url}, manifest.json ${name}`]),
    ...(full === canonicalReference(reference) ? [] : [`index.json calls it ${full ?? 'nothing'}, manifest.json ${name}`]),
    ...(tag === reference.tag ? [] : [`index.json gives it the tag ${tag ?? 'none'}, manifest.json ${reference.tag}`]),
    ...(report.name === name ? [] : [`it is called ${report.name ?? 'nothing'}, manifest.json calls it ${name}`]),
  ];
}

/** Where the shipped Compose manifest and the images disagree: the device would pull what it does not find. Pure. */
export function manifestProblems({ composeFiles, images, report }: ArtifactContent): string[] {
  const [file, ...more] = [...composeFiles.keys()];
  if (file === undefined) return ['manifests/ holds no Compose file of a default name'];
  if (more.length > 0) return [`manifests/ holds several Compose files of default names: ${[file, ...more].join(', ')}`];
  const used = imagesIn(composeFiles.get(file)?.toString('utf8') ?? '');
  if (used === undefined) return [`manifests/${file} can't be read`];
  const shipped = new Set(images.flatMap(({ report: { name } }) => (name === undefined ? [] : [name])));
  const isMissing = (name: string): boolean => {
    const reference = readable(() => parseReference(name));
    return reference === undefined || !shipped.has(formatReference(reference));
  };
  const asked = new Set(used.values());
  return [
    ...[...used].filter(([, name]) => isMissing(name)).map(([service, name]) => `service ${service} runs ${name || 'no image'}, which is not in the artifact`),
    ...[...shipped].filter((name) => ![...asked].some((one) => sameName(one, name))).map((name) => `no service runs the image ${name}`),
    ...metaDataProblems(report.module, report.metaData, images),
  ];
}

function sameName(one: string, other: string): boolean {
  const reference = readable(() => parseReference(one));
  return reference !== undefined && formatReference(reference) === other;
}

/** Image by service; undefined where the text is no manifest. */
function imagesIn(text: string): Map<string, string> | undefined {
  try {
    const model: unknown = parse(text, { maxAliasCount: MOST_ALIASES, merge: true, logLevel: 'silent' });
    const services = isObject(model) ? model['services'] : undefined;
    if (!isObject(services)) return undefined;
    return new Map(Object.entries(services).map(([name, service]) => [name, imageOf(service)]));
  } catch {
    return undefined;
  }
}

function imageOf(service: unknown): string {
  const image = isObject(service) ? service['image'] : undefined;
  return typeof image === 'string' ? image : '';
}

/** Update module `app` asks for the ids of all images. */
function metaDataProblems(module: string, metaData: unknown, images: readonly ImageContent[]): string[] {
  if (module !== 'app') return [];
  const listed = isObject(metaData) ? strings(metaData['images']) : [];
  const ids = images.map(({ report }) => report.id);
  return listed.toSorted().join() === ids.toSorted().join() ? [] : ['the meta-data lists other images than there are'];
}

function jsonOf(bytes: Buffer | undefined): unknown {
  try {
    return JSON.parse(bytes?.toString('utf8') ?? '') as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
