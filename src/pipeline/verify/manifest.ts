import { assignedNames } from '../../compose/read/variables/dotenv.ts';
import { parseYaml } from '../../io/yaml.ts';
import { record, strings } from '../../mender/read/json.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import type { ArtifactContent, ImageContent } from './content.ts';
import { readable } from './content.ts';

const MAIN_FILE = /^(docker-)?compose\.ya?ml$/;

/**
 * Returns where the shipped Compose file and the images disagree. A device would pull the images
 * that it misses. Pure.
 */
export function manifestProblems({ composeFiles, images, report }: ArtifactContent): string[] {
  const [file, ...more] = [...composeFiles.keys()].filter((name) => MAIN_FILE.test(name));
  if (file === undefined) return ['manifests/ holds no Compose file of a default name'];
  if (more.length > 0)
    return [`manifests/ holds several Compose files of default names: ${[file, ...more].join(', ')}`];
  const used = imagesIn(composeFiles.get(file)?.toString('utf8') ?? '');
  if (used === undefined) return [`manifests/${file} can't be read`];
  const shipped = new Set(images.flatMap(({ report: { name } }) => (name === undefined ? [] : [name])));
  const isMissing = (name: string): boolean => {
    const reference = readable(() => parseReference(name));
    return reference === undefined || !shipped.has(formatReference(reference));
  };
  const asked = new Set(used.values());
  return [
    ...[...used]
      .filter(([, name]) => isMissing(name))
      .map(
        ([service, name]) => `service ${service} runs ${name || 'no image'}, which is not in the artifact`,
      ),
    ...[...shipped]
      .filter((name) => ![...asked].some((one) => sameName(one, name)))
      .map((name) => `no service runs the image ${name}`),
    ...extraProblems(composeFiles),
    ...metaDataProblems(report.module, report.metaData, images),
  ];
}

/**
 * Compose on the device merges override files, and a `.env` may choose other Compose files and
 * profiles.
 */
function extraProblems(composeFiles: ReadonlyMap<string, Buffer>): string[] {
  const overrides = [...composeFiles.keys()].filter((name) => name.includes('.override.'));
  const variables = composeFiles.get('.env')?.toString('utf8') ?? '';
  const chosen = [...assignedNames(variables)].find((name) => name.startsWith('COMPOSE_'));
  return [
    ...overrides.map((name) => `manifests/${name} would change the application`),
    ...(chosen === undefined ? [] : [`manifests/.env sets ${chosen}`]),
  ];
}

function sameName(one: string, other: string): boolean {
  const reference = readable(() => parseReference(one));
  return reference !== undefined && formatReference(reference) === other;
}

/** Returns the image of each service, or undefined if the text is not a Compose file. */
function imagesIn(text: string): Map<string, string> | undefined {
  try {
    const model = parseYaml(text, { merge: true });
    return new Map(
      Object.entries(record(record(model)['services'])).map(([name, service]) => [name, imageOf(service)]),
    );
  } catch {
    return undefined;
  }
}

function imageOf(service: unknown): string {
  const { image } = record(service);
  return typeof image === 'string' ? image : '';
}

/** Module `app` needs the ids of all images. */
function metaDataProblems(module: string, metaData: unknown, images: readonly ImageContent[]): string[] {
  if (module !== 'app') return [];
  const listed = strings(record(metaData)['images']);
  const ids = images.map(({ report }) => report.id);
  return listed.toSorted().join() === ids.toSorted().join()
    ? []
    : ['the meta-data lists other images than there are'];
}
