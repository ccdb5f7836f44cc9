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

/** Everything that the shipped files are made from, apart from image names. */
export interface Shipment {
  /** The merged model, with references to variables that the device fills in. */
  model: Mapping;
  edits: Edit[];
  files: LocalFile[];
  /** The text of the `.env` to add; undefined if none is needed. */
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

const COMPOSE_FILE = 'docker-compose.yaml';
const DOTENV = '.env';
/** Variables of a `.env` that change how Compose on the device works. */
const STEERING = /^(?:COMPOSE_|DOCKER_)/;

/**
 * Finds everything that has to ship, with warnings about it. Reads the sizes of local files, not
 * their content.
 */
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

/** Returns the files for the device, sorted by path, with these images of the services. */
export function shipmentFiles(shipped: Shipment, images: readonly { service: string; image: string }[]) {
  const named = images.map(({ service, image }): Edit => ({
    at: ['services', service, 'image'],
    value: escapeDollars(image),
  }));
  const text = composeFileText(shipped.model, [...shipped.edits, ...named], shipped.authored);
  const written = [{ path: COMPOSE_FILE, mode: 0o644, content: Buffer.from(text) }];
  if (shipped.dotenv !== undefined)
    written.push({ path: DOTENV, mode: 0o644, content: Buffer.from(shipped.dotenv) });
  const copied = shipped.files.map(({ path, mode, file, size }) => ({ path, mode, content: { file, size } }));
  return [...written, ...copied].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The `.env` for the device: those of the names whose value comes from the project's `.env`. */
function dotenvFor(names: readonly string[], variables: Variables): string {
  const given = names.filter((name) => isFromFile(name, variables));
  return dotenvText(new Map(given.map((name) => [name, variables.file.get(name) ?? ''])));
}

function isFromFile(name: string, { file, lookup }: Variables): boolean {
  return file.has(name) && file.get(name) === lookup(name);
}

/** A `.env` with settings of Compose itself must not reach the device under its name. */
function steeringFiles({ file }: Variables): string[] {
  return [...file.keys()].some((name) => STEERING.test(name)) ? [DOTENV] : [];
}

function localWarnings(passed: readonly string[], wanted: readonly string[], variables: Variables): string[] {
  const localOf = (names: readonly string[]) => [...new Set(names.filter(variables.isFromBuild))].sort();
  const asked = localOf(passed.filter((name) => !isFromFile(name, variables)));
  const unread = localOf(wanted);
  return [
    ...(asked.length > 0
      ? [`the device's environment gives these, not the build's: ${asked.join(', ')}`]
      : []),
    ...(unread.length > 0
      ? [`env files refer to ${unread.join(', ')}: the build's environment has these, the device may not`]
      : []),
  ];
}
