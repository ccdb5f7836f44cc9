import { deviceEdits } from './deviceEdits.ts';
import { dotenvText, passedThrough, variablesIn, variablesInEnvFiles } from './deviceVariables.ts';
import type { Edit } from './edits.ts';
import { editModel } from './edits.ts';
import { gatherLocalFiles } from './localFiles.ts';
import type { LocalFile } from './localWalk.ts';
import { fileReferences } from './references.ts';
import type { AuthoredFile } from './composeFile.ts';
import { composeFileText } from './composeFile.ts';
import { escapeDollars } from '../read/variables/template.ts';
import type { Mapping } from '../read/yaml/value.ts';
import type { Variables } from '../read/variables/variables.ts';

/** All that the shipped files are made of, image names apart. */
export interface Shipment {
  /** The merged model with the variables that stay in it. */
  model: Mapping;
  edits: Edit[];
  files: LocalFile[];
  /** The text of the `.env` to add; undefined where none is needed. */
  dotenv?: string;
  authored?: AuthoredFile;
}

interface Parts {
  folder: string;
  deferred: Mapping;
  resolved: Mapping;
  active: readonly string[];
  variables: Variables;
  authored?: AuthoredFile;
}

const MANIFEST_NAME = 'docker-compose.yaml';
const DOTENV = '.env';
/** Variables in a `.env` by which it would steer Compose on the device. */
const STEERING = /^(?:COMPOSE_|DOCKER_)/;

/** Finds out what has to be shipped, and what there is to say about it; reads the files' sizes, not their content. */
export async function prepareShipment(parts: Parts): Promise<{ shipment: Shipment; warnings: string[] }> {
  const { folder, deferred, resolved, active, variables, authored } = parts;
  const device = deviceEdits(resolved, active);
  const local = await gatherLocalFiles(folder, fileReferences(resolved, active), steeringFiles(variables));
  const edits = [...device.edits, ...local.edits];
  const wanted = await variablesInEnvFiles(local.envFiles, variables);
  const imageless = active.map((name): Edit => ({ at: ['services', name, 'image'] }));
  const kept = editModel(deferred, [...edits, ...imageless]);
  const passed = passedThrough(kept);
  const dotenv = dotenvFor([...variablesIn(kept), ...passed, ...wanted], variables);
  const isOwn = local.files.some(({ path }) => path === DOTENV);
  return {
    shipment: {
      model: deferred,
      edits,
      files: local.files,
      ...(dotenv === '' || isOwn ? {} : { dotenv }),
      ...(authored === undefined ? {} : { authored }),
    },
    warnings: [...device.warnings, ...local.warnings, ...localWarnings(passed, wanted, variables)],
  };
}

/** The files for the device, sorted by path. */
export function shipmentFiles(shipped: Shipment, images: readonly { service: string; image: string }[]) {
  const named = images.map(({ service, image }): Edit => ({
    at: ['services', service, 'image'],
    value: escapeDollars(image),
  }));
  const text = composeFileText(shipped.model, [...shipped.edits, ...named], shipped.authored);
  const written = [{ path: MANIFEST_NAME, mode: 0o644, content: Buffer.from(text) }];
  if (shipped.dotenv !== undefined)
    written.push({ path: DOTENV, mode: 0o644, content: Buffer.from(shipped.dotenv) });
  const copied = shipped.files.map(({ path, mode, file, size }) => ({ path, mode, content: { file, size } }));
  return [...written, ...copied].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Of the names, those that the project's `.env` gives, with the values that they have here. */
function dotenvFor(names: readonly string[], variables: Variables): string {
  const given = names.filter((name) => isFromFile(name, variables));
  return dotenvText(new Map(given.map((name) => [name, variables.file.get(name) ?? ''])));
}

function isFromFile(name: string, { file, lookup }: Variables): boolean {
  return file.has(name) && file.get(name) === lookup(name);
}

/** The project's `.env` must not reach the device as such when it says something about Compose itself. */
function steeringFiles({ file }: Variables): string[] {
  return [...file.keys()].some((name) => STEERING.test(name)) ? [DOTENV] : [];
}

function localWarnings(passed: readonly string[], wanted: readonly string[], variables: Variables): string[] {
  const localOf = (names: readonly string[]) => [...new Set(names.filter(variables.isFromBuild))].sort();
  const asked = localOf(passed.filter((name) => !isFromFile(name, variables)));
  const unread = localOf(wanted);
  return [
    ...(asked.length > 0
      ? [`passed through from the device's environment, not from the build's: ${asked.join(', ')}`]
      : []),
    ...(unread.length > 0
      ? [`env files refer to ${unread.join(', ')}, which the build's environment has and the device may not`]
      : []),
  ];
}
