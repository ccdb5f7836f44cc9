import { realpath } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import type { AuthoredFile } from './composeFile.ts';
import { composeFileText } from './composeFile.ts';
import { deviceEdits } from './deviceEdits.ts';
import type { Edit } from './edits.ts';
import { editModel } from './edits.ts';
import { requireShippedImages } from './imagesElsewhere.ts';
import { gatherLocalFiles } from './localFiles.ts';
import type { LocalFile } from './localWalk.ts';
import { isInside } from './leftOut.ts';
import type { ShipmentParts } from './parts.ts';
import type { OwnSecrets } from '../read/variables/ownSecrets.ts';
import type { FileReference } from './references.ts';
import { fileReferences } from './references.ts';
import { refuseSecretsInFiles } from './secretScan.ts';
import { shippedVariables } from './shippedVariables.ts';
import { parseDotenv } from '../read/variables/dotenv.ts';
import { isSteering } from '../read/variables/steering.ts';
import { namingVariables } from '../read/namingVariables.ts';
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
  warnings: string[];
  secrets: OwnSecrets;
}

/**
 * Bytes. A device's checks read the shipped Compose file and `.env` whole; real ones have some
 * kilobytes.
 */
export const LARGEST_SHIPPED: number = 1 << 20;
const COMPOSE_FILE = 'docker-compose.yaml';
const DOTENV = '.env';

/**
 * Finds everything that has to ship, with warnings about it. Reads the sizes of local files, and
 * their content only to find secrets of the build. `privatePaths` are files and folders that
 * folders never ship with. Throws UsageError if a secret of the build would ship, or a file that no
 * device could read.
 */
export async function prepareShipment(
  parts: ShipmentParts,
  privatePaths: readonly string[] = [],
): Promise<Shipment> {
  return namingVariables(parts.values, () => shipmentOf(parts, privatePaths));
}

async function shipmentOf(parts: ShipmentParts, privatePaths: readonly string[]): Promise<Shipment> {
  const { folder, deferred, resolved, variables, authored } = parts;
  const active = new Set(parts.active);
  requireShippedImages(resolved, active);
  const device = deviceEdits(resolved, active);
  const references = fileReferences(resolved, parts.active);
  const hidden = [...privatePaths, ...unshippedSecrets(parts, references)];
  const steering = steeringFiles(variables);
  const local = await gatherLocalFiles(folder, references, steering, hidden, variables.secrets);
  const imageless = parts.active.map((name): Edit => ({ at: ['services', name, 'image'] }));
  const kept = editModel(deferred, [...device.edits, ...local.edits, ...imageless]);
  const { edits, dotenv, needsDotenv, warnings } = await shippedVariables(parts, kept, local.envFiles);
  await refuseSecretsInFiles(local.files, variables.secrets);
  const isOwn = local.files.some(({ path }) => path === DOTENV);
  if (isOwn && needsDotenv) throw dotenvConflict(folder);
  return {
    model: deferred,
    edits: [...device.edits, ...local.edits, ...edits],
    files: local.files,
    ...(dotenv === '' || isOwn ? {} : { dotenv }),
    ...(authored === undefined ? {} : { authored }),
    warnings: [...warnings, ...device.warnings, ...local.warnings, ...(await linkedDotenv(folder, dotenv))],
    secrets: variables.secrets,
  };
}

/**
 * Returns the files for the device, sorted by path, with these images of the services. Throws
 * UsageError if a written file has the value of a secret of the build, or is larger than 1 MiB.
 */
export function shipmentFiles(shipped: Shipment, images: readonly { service: string; image: string }[]) {
  const named = images.map(({ service, image }): Edit => ({
    at: ['services', service, 'image'],
    value: escapeDollars(image),
  }));
  const edits = [...shipped.edits, ...named];
  shipped.secrets.refuseIn(editModel(shipped.model, edits), `the shipped ${COMPOSE_FILE}`);
  shipped.secrets.refuseIn(dotenvValues(shipped.dotenv), `the shipped ${DOTENV}`);
  const text = composeFileText(shipped.model, edits, shipped.authored);
  const texts = [{ path: COMPOSE_FILE, text }];
  if (shipped.dotenv !== undefined) texts.push({ path: DOTENV, text: shipped.dotenv });
  for (const one of texts) shipped.secrets.refuseText(one.text, `the shipped ${one.path}`);
  requireBounded([
    ...texts.map(({ path, text }) => ({ path, size: Buffer.byteLength(text) })),
    ...shipped.files,
  ]);
  const written = texts.map((one) => ({ path: one.path, mode: 0o644, content: Buffer.from(one.text) }));
  const copied = shipped.files.map(({ path, mode, file, size }) => ({ path, mode, content: { file, size } }));
  return [...written, ...copied].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Throws UsageError for a Compose file or `.env` that `verify` would refuse. */
function requireBounded(files: readonly { path: string; size: number }[]): void {
  const large = files.find(
    ({ path, size }) => [COMPOSE_FILE, DOTENV].includes(path) && size > LARGEST_SHIPPED,
  );
  if (large === undefined) return;
  throw new UsageError(
    `the shipped ${large.path} has ${large.size} bytes, expected at most ${LARGEST_SHIPPED}`,
    {
      hint: 'move large values into files that services mount or read as configs',
    },
  );
}

/**
 * Secret files that no running service uses, as those of a build or of another profile. A mounted
 * folder ships without them.
 */
function unshippedSecrets(
  { folder, secretFiles }: ShipmentParts,
  references: readonly FileReference[],
): string[] {
  const named = new Set(references.map(({ path }) => resolve(folder, path)));
  return [...secretFiles].filter((path) => !named.has(path));
}

/** A `.env` is written with all values filled in. */
function dotenvValues(text = ''): Mapping {
  return Object.fromEntries(parseDotenv(text, DOTENV, () => undefined));
}

function dotenvConflict(folder: string): UsageError {
  return new UsageError(`${folder}/${DOTENV} ships whole, so a secret of an include can't be added to it`, {
    hint: `write the value of the secret into a file, or exclude ${DOTENV} from the mounted folder`,
  });
}

/** A `.env` with settings of Compose itself, or one that is not used, must not reach the device. */
function steeringFiles({ file, replacesDotenv }: Variables): string[] {
  const steers = replacesDotenv || [...file.keys()].some(isSteering);
  return steers ? [DOTENV] : [];
}

/** Values of a file outside the project ship here under the name of the project's own file. */
async function linkedDotenv(folder: string, dotenv: string): Promise<string[]> {
  if (dotenv === '') return [];
  const real = await realpath(join(folder, DOTENV)).catch(() => undefined);
  if (real === undefined || isInside(relative(await realpath(folder), real))) return [];
  const names = [...dotenv.matchAll(/^([A-Za-z_]\w*)=/gm)].map(([, name]) => name);
  return [`written into the shipped ${DOTENV} from ${real}, outside the project folder: ${names.join(', ')}`];
}
