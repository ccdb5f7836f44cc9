import { excerpt } from '../../io/redact.ts';
import { hasDecoder, readDecoder } from '../../mender/onDevice/carriedDecoder.ts';
import { DECODER_PATH, deltaPayload, PLAN_VERSION } from '../../mender/onDevice/payload.ts';
import type { VisitedEntry } from '../../mender/read/report.ts';
import type { TarFile } from '../../tar/tar.ts';
import { DEFAULT_MTIME, tarHeader, tarPadding } from '../../tar/tar.ts';
import { parsePlatform } from '../../oci/platform.ts';
import { MOST_MEMORY } from '../../patch/format.ts';
import { DEFAULT_BUFFER, SMALLEST_BUFFER } from '../../vcdiff/sourceReads.ts';
import type { ArtifactContent, ImageContent } from './content.ts';
import { unlessDamaged } from './content.ts';
import { rebuiltImage } from './rebuilt.ts';

const HEADERS = 'headers';

/**
 * Returns where the payload of a state script differs from the one that this tool writes for the
 * same images: the plan, the tar headers, the small files, and the place of each file. The script
 * runs as root and reads all of them as they are. Pure.
 */
export function plannedProblems(content: ArtifactContent): string[] {
  const { report, images, plan, entries } = content;
  if (report.module === 'app' && images.some(hasPatches)) {
    return ['images.tar.gz has patches, which update module app can not decode'];
  }
  const isPlanned =
    report.module === 'docker-compose' &&
    images.some(({ report: { layers } }) => layers.some(({ kind }) => kind === 'delta'));
  if (plan === undefined) return isPlanned ? ['images.tar.gz has deltas, and no plan to install them'] : [];
  if (!isPlanned) return ['images.tar.gz has a plan for a state script, and no deltas'];
  const [version = ''] = plan.split('\n', 1);
  if (version !== PLAN_VERSION) return [otherVersion(version)];
  const buffers = buffersIn(plan);
  const rebuilt = images.flatMap((image) => rebuiltImage(image, buffers) ?? []);
  if (rebuilt.length < images.length) return ['the plan can not be checked, as an image has faults'];
  const { decoder, problems } = carriedDecoder(content);
  if (problems.length > 0) return problems;
  const expected = deltaPayload(rebuilt, mtimeOf(images), decoder);
  const byPath = new Map(expected.map((file) => [file.path, file]));
  return [
    ...planProblems(expected, plan),
    ...placeProblems(expected, entries),
    ...images.flatMap((image) => fileProblems(byPath, image)),
  ];
}

/**
 * The decoder that the payload must have; undefined without patches. Only the package's own one for
 * the platform is known to do what it should, and devices run it as root.
 */
function carriedDecoder({ report, images, decoder: found }: ArtifactContent): {
  decoder?: Buffer;
  problems: string[];
} {
  if (!images.some(hasPatches)) {
    return { problems: found === undefined ? [] : [`images.tar.gz has ${DECODER_PATH}, and no patches`] };
  }
  const text = report.record?.platform ?? images[0]?.report.platform ?? '';
  const platform = unlessDamaged(() => parsePlatform(text));
  if (platform === undefined || !hasDecoder(platform)) {
    return { problems: [`it has patches for ${text || 'an unknown platform'}, which has no decoder`] };
  }
  const decoder = readDecoder(platform);
  if (found === undefined) return { problems: [`images.tar.gz has patches, and no ${DECODER_PATH}`] };
  const isOwn = found.equals(decoder);
  return {
    decoder,
    problems: isOwn ? [] : [`${DECODER_PATH} is foreign: devices would run it as root`],
  };
}

function hasPatches({ report: { layers } }: ImageContent): boolean {
  return layers.some(({ format }) => format === 'patch');
}

function otherVersion(version: string): string {
  return `the plan was made by another version of this tool, and was not checked: expected ${JSON.stringify(PLAN_VERSION)}, found ${JSON.stringify(excerpt(version, 100))}`;
}

function planProblems([first]: readonly TarFile[], plan: string): string[] {
  const expected = Buffer.from(first?.body as Uint8Array).toString('utf8');
  if (expected === plan) return [];
  const [wanted, found] = [expected.split('\n'), plan.split('\n')];
  const at = [...wanted, ''].findIndex((line, index) => line !== found[index]);
  return [
    `images/plan:${at + 1}: expected ${JSON.stringify(wanted[at] ?? 'its end')}, found ${JSON.stringify(found[at] ?? 'its end')}`,
  ];
}

/** The state script reads the payload once, by the plan, and looks at no name in it. */
function placeProblems(expected: readonly TarFile[], entries: readonly VisitedEntry[]): string[] {
  const wanted = placesOf(expected).map(placeText);
  const found = entries.map(placeText);
  const at = wanted.findIndex((place, index) => place !== found[index]);
  if (at === -1 && wanted.length === found.length) return [];
  const index = at === -1 ? wanted.length : at;
  return [`images.tar.gz: expected ${wanted[index] ?? 'its end'}, found ${found[index] ?? 'its end'}`];
}

function placeText({ archive, kind, name, size, offset }: VisitedEntry): string {
  const path = archive === '' ? name : `${archive}: ${name}`;
  return `the ${kind} ${JSON.stringify(path)} of ${size} bytes at ${offset}`;
}

function placesOf(files: readonly TarFile[], archive = ''): VisitedEntry[] {
  let end = 0;
  return files.flatMap(({ path: name, size, nested = [] }) => {
    const offset = end + tarHeader(name).length;
    end = offset + size + tarPadding(size).length;
    return [{ archive, name, kind: 'file', size, offset }, ...placesOf(nested, name)];
  });
}

/** The files with a content that is known; layers and deltas are compared by their digests. */
function fileProblems(
  expected: ReadonlyMap<string, TarFile>,
  { report: { folder }, documents }: ImageContent,
): string[] {
  const headers = expected.get(`images/${folder}/${HEADERS}`);
  const wanted = [
    ...(expected.get(`images/${folder}.tar`)?.nested ?? []),
    ...(headers === undefined ? [] : [{ ...headers, path: HEADERS }]),
  ];
  const isSame = ({ path, body }: TarFile): boolean =>
    body instanceof Uint8Array && documents.get(path)?.equals(body) === true;
  return wanted
    .filter((file) => !isSame(file))
    .map(({ path }) => `images/${folder}: ${path} has other bytes than this tool writes for the image`);
}

/** The time in the first tar header. It may be any one: SOURCE_DATE_EPOCH sets it. */
function mtimeOf(images: readonly ImageContent[]): number {
  // An image without layers has no headers.
  const headers = images.map(({ documents }) => documents.get(HEADERS)).find((one) => (one?.length ?? 0) > 0);
  const time = headers?.subarray(136, 147).toString('latin1') ?? '';
  return /^[0-7]{11}$/.test(time) ? parseInt(time, 8) : DEFAULT_MTIME;
}

/**
 * The decoder's buffers that the plan gives deltas and a build may choose, by folder and diffID.
 */
function buffersIn(plan: string): Map<string, number> {
  const lines = plan.split('\n').map((line) => line.split(' '));
  return new Map(
    lines.flatMap(([word, folder = '', kind, hex = '', , , , , text]) => {
      const buffer = Number(text);
      const isChosen =
        (kind === 'delta' && isBufferSize(buffer)) || (kind === 'patch' && isPatchMemory(buffer));
      return word === 'layer' && isChosen ? [[`${folder} sha256:${hex}`, buffer]] : [];
    }),
  );
}

function isBufferSize(bytes: number): boolean {
  return Number.isInteger(Math.log2(bytes)) && bytes >= SMALLEST_BUFFER && bytes <= DEFAULT_BUFFER;
}

function isPatchMemory(bytes: number): boolean {
  return Number.isInteger(bytes) && bytes >= 0 && bytes <= MOST_MEMORY;
}
