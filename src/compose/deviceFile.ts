import { posix } from 'node:path';
import { UsageError, UserError } from '../errors.ts';
import { checkActive } from './application.ts';
import { checkModel } from './read/check/model.ts';
import { neverStartFaults } from './read/check/neverStarts.ts';
import { parseMount } from './read/shortSyntax.ts';
import { parseDotenv } from './read/variables/dotenv.ts';
import { isSteering } from './read/variables/steering.ts';
import { TemplateError, interpolate } from './read/variables/template.ts';
import { toValue } from './read/yaml/toValue.ts';
import type { Mapping } from './read/yaml/value.ts';
import { asList, asMapping, mapStrings, scalarText, withoutTags } from './read/yaml/value.ts';
import { parseYamlFile } from './read/yaml/yamlFile.ts';
import { grepImages, imagesOf } from './ship/composeFile.ts';
import { WORKSTATION_ATTRIBUTES, asksRegistry } from './ship/deviceEdits.ts';
import type { FileReference } from './ship/references.ts';
import { fileReferences } from './ship/references.ts';

/** A place in a shipped Compose file that names a file or folder, by a path relative to it. */
export type DeviceReference = Pick<FileReference, 'what' | 'path' | 'kind' | 'isOptional'>;

/** What Compose on a device makes of a shipped Compose file. */
export interface DeviceFile {
  /** The image of each service, empty if it has none. Undefined for a file that can't be read. */
  images?: Map<string, string>;
  /** What names local files and folders. Undefined for a file with faults. */
  refersTo?: DeviceReference[];
  /** The platforms that services ask for. Undefined for a file with faults. */
  platforms?: Map<string, string>;
  /** What makes a device run something else than these images, or refuse the file. */
  faults: string[];
}

/**
 * Reads a Compose file as Compose on a device reads it, with the variables of the `.env` next to
 * it. `path` names the file in faults; `project` is the name that the update module gives the
 * project. Pure.
 */
export function parseDeviceFile(text: string, path: string, dotenv: string, project: string): DeviceFile {
  const found: DeviceFile = { faults: [] };
  try {
    const variables = parseDotenv(dotenv, '.env', () => undefined);
    const steering = [...variables.keys()].filter(isSteering);
    for (const name of steering) found.faults.push(`.env sets ${name}`);
    const [model = {}, ...more] = filledModels(
      text,
      path,
      new Map([...variables, ['COMPOSE_PROJECT_NAME', project]]),
    );
    if (more.length > 0) found.faults.push(`${path} has several documents`);
    for (const fault of modelFaults(model)) found.faults.push(`${path}: ${fault}`);
    found.images = imagesOf(model);
    for (const fault of hiddenImages(text, found.images)) found.faults.push(`${path}: ${fault}`);
    const checked = checkModel(model, { paths: [path] });
    const services = Object.keys(asMapping(checked['services']));
    checkActive(checked, services, { paths: [path] });
    const never = neverStartFaults(checked, services);
    for (const fault of never) found.faults.push(`${path}: ${fault.path.join('.')} ${fault.message}`);
    found.refersTo = fileReferences(checked, services).map((one) => ({
      ...one,
      path: posix.normalize(one.path).replace(/(?<=.)\/$/, ''),
    }));
    found.platforms = platformsOf(checked);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    found.faults.push(error.message);
  }
  return found;
}

function platformsOf(model: Mapping): Map<string, string> {
  const services = Object.entries(asMapping(model['services']));
  const platforms = services.map(([name, one]) => [name, scalarText(asMapping(one)['platform'])] as const);
  return new Map(platforms.filter(([, platform]) => platform !== ''));
}

function filledModels(text: string, path: string, variables: ReadonlyMap<string, string>): Mapping[] {
  const file = parseYamlFile(text, path);
  const documents = file.documents.filter(({ contents }) => contents !== null);
  const fill = (value: string): string => filled(value, path, variables);
  return documents.map((document) => asMapping(mapStrings(withoutTags(toValue(file, document)), fill)));
}

function filled(value: string, path: string, variables: ReadonlyMap<string, string>): string {
  try {
    return interpolate(value, (name) => variables.get(name));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new UsageError(`${path}: ${error.message}`);
  }
}

function modelFaults(model: Mapping): string[] {
  const services = Object.entries(asMapping(model['services']));
  return [
    ...('include' in model ? ['it includes other files'] : []),
    ...services.flatMap(([name, service]) =>
      serviceFaults(asMapping(service)).map((fault) => `services.${name}${fault}`),
    ),
  ];
}

/** An update module that can't find an image by grep never deletes it. */
function hiddenImages(text: string, images: ReadonlyMap<string, string>): string[] {
  const found = new Set(grepImages(text));
  const hidden = [...images].filter(([, image]) => image !== '' && !found.has(image));
  return hidden.map(([name]) => `the image of ${name} is not on a line of its own: it would stay for ever`);
}

function serviceFaults(service: Mapping): string[] {
  const foreign = ['extends', ...WORKSTATION_ATTRIBUTES].filter((key) => service[key] !== undefined);
  const mounted = asList(service['volumes'])
    .map(parseMount)
    .filter(({ type }) => type === 'image');
  return [
    ...foreign.map((key) => `.${key} is not for a device`),
    ...(asksRegistry(service) ? [`.pull_policy asks a registry`] : []),
    ...mounted.map(({ source = '' }) => ` mounts the image ${source}`),
  ];
}
