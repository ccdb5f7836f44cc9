import type { DeviceReference } from '../../compose/deviceFile.ts';
import { parseDeviceFile } from '../../compose/deviceFile.ts';
import type { FileReport } from '../../mender/read/report.ts';
import { record, strings } from '../../mender/read/json.ts';
import { shortForm } from '../../oci/reference.ts';
import type { ArtifactContent, ImageContent } from './content.ts';
import { projectIn } from './envelope.ts';
import { platformProblems, referenceProblems } from './references.ts';

/** Told by `overrideProblems`. */
const OVERRIDE = /^(docker-)?compose\.override\.ya?ml$/;
const MAIN_FILE = /^(docker-)?compose\.ya?ml$/;

/**
 * Returns where the shipped Compose file and the images disagree. A device would pull the images
 * that it misses. Pure.
 */
export function manifestProblems({
  composeFiles,
  smallFiles,
  tooLarge,
  images,
  report,
}: Omit<ArtifactContent, 'entries'>): string[] {
  if (tooLarge.length > 0) return tooLarge.map((name) => `manifests/${name} is too large to be checked`);
  const [file, ...more] = [...composeFiles.keys()].filter((name) => MAIN_FILE.test(name));
  if (file === undefined) return ['manifests/ holds no Compose file of a default name'];
  if (more.length > 0)
    return [`manifests/ holds several Compose files of default names: ${[file, ...more].join(', ')}`];
  const text = composeFiles.get(file)?.toString('utf8') ?? '';
  const dotenv = composeFiles.get('.env')?.toString('utf8') ?? '';
  const project = projectIn(report) ?? '';
  const { images: used, faults, refersTo, platforms } = parseDeviceFile(text, file, dotenv, project);
  if (used === undefined) return faults.map((fault) => `manifests/${fault}`);
  return [
    ...imageProblems(used, images),
    ...overrideProblems(composeFiles),
    ...faults.map((fault) => `manifests/${fault}`),
    ...(refersTo === undefined ? [] : fileProblems(refersTo, [file, '.env'], { ...report, smallFiles })),
    ...(platforms === undefined ? [] : platformProblems(platforms, used, images)),
    ...listedProblems(report.module, report.metaData, images),
  ];
}

/** Services without their image, and images without a service. `used`: images by service. */
function imageProblems(used: ReadonlyMap<string, string>, images: readonly ImageContent[]): string[] {
  const shipped = new Set(images.flatMap(({ report: { image } }) => (image === undefined ? [] : [image])));
  const asked = new Set([...used.values()].map(shortForm));
  return [
    ...[...used]
      .filter(([, name]) => !shipped.has(shortForm(name) ?? ''))
      .map(
        ([service, name]) => `service ${service} runs ${name || 'no image'}, which is not in the artifact`,
      ),
    ...[...shipped].filter((name) => !asked.has(name)).map((name) => `no service runs the image ${name}`),
  ];
}

/** Files that are missing, and files that nobody needs. */
function fileProblems(
  refersTo: readonly DeviceReference[],
  known: readonly string[],
  files: Parameters<typeof referenceProblems>[1],
): string[] {
  return [
    ...referenceProblems(refersTo, files).map((problem) => `manifests/${known[0]}: ${problem}`),
    ...strayProblems(files.manifests, [...known, ...refersTo.map(({ path }) => path)]),
  ];
}

/** Compose on the device merges override files. */
function overrideProblems(composeFiles: ReadonlyMap<string, Buffer>): string[] {
  const overrides = [...composeFiles.keys()].filter((name) => OVERRIDE.test(name));
  return overrides.map((name) => `manifests/${name} would change the application`);
}

/** Folders ship as a whole. */
function strayProblems(files: readonly FileReport[], known: readonly string[]): string[] {
  const isKnown = (path: string): boolean =>
    known.some((one) => one === '.' || path === one || path.startsWith(`${one}/`));
  const strays = files.map(({ path }) => path).filter((path) => !isKnown(path) && !OVERRIDE.test(path));
  return strays.map((path) => `manifests/${path} is a file that nothing refers to`);
}

/** Module `app` needs the ids of all images. */
function listedProblems(module: string, metaData: unknown, images: readonly ImageContent[]): string[] {
  if (module !== 'app') return [];
  const listed = strings(record(metaData)['images']);
  const ids = images.map(({ report }) => report.folder);
  return listed.toSorted().join() === ids.toSorted().join()
    ? []
    : ['the meta-data lists other images than there are'];
}
