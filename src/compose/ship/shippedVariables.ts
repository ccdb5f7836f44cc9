import { UsageError } from '../../errors.ts';
import type { EnvFile } from './deviceVariables.ts';
import { dotenvText, passedThrough, readEnvFiles, variablesIn } from './deviceVariables.ts';
import { shippedPlaces } from './deviceEdits.ts';
import type { Edit } from './edits.ts';
import { editModel } from './edits.ts';
import type { WrittenVariable } from './fillIn.ts';
import { fillInLocal } from './fillIn.ts';
import type { ShipmentParts } from './parts.ts';
import type { SecretValue } from '../read/scope.ts';
import type { Mapping } from '../read/yaml/value.ts';
import { isSteering } from '../read/variables/steering.ts';
import type { Variables } from '../read/variables/variables.ts';

/** How the variables of the application reach the device. */
export interface ShippedVariables {
  /** They write local values into the Compose file. */
  edits: Edit[];
  /** The text of the `.env`; empty if none is needed. */
  dotenv: string;
  /** True if the `.env` has values that the project's own `.env` has not. */
  needsDotenv: boolean;
  warnings: string[];
}

/**
 * Decides how the variables of `kept`, the model that ships, reach the device. Only names that
 * shipped services use count. Throws UsageError if one of them is a secret of the build.
 */
export async function shippedVariables(
  parts: ShipmentParts,
  kept: Mapping,
  envFiles: readonly EnvFile[],
): Promise<ShippedVariables> {
  const { variables } = parts;
  const { edits, written } = fillInLocal(kept, variables);
  const all = [...written, ...writtenWhenRead(parts)].filter(({ name }) => !parts.meantToShip.has(name));
  const composeFiles = parts.composeFiles.join(', ');
  for (const { name, where } of written) variables.secrets.refuseName(name, `${composeFiles}: ${where}`);
  const left = editModel(kept, edits);
  const passed = passedThrough(left);
  const wanted = await readEnvFiles(envFiles, variables);
  const names = [...variablesIn(left), ...passed, ...wanted];
  const secrets = includedSecrets(parts, names);
  const values = secrets.map(([name, { value }]): [string, string] => [name, value]);
  return {
    edits,
    dotenv: dotenvText(new Map([...givenByDotenv(parts, names), ...values])),
    needsDotenv: secrets.length > 0,
    warnings: [
      ...writtenWarnings(all, 'Compose file'),
      ...writtenWarnings(
        secrets.map(([, secret]) => secret),
        '.env',
      ),
      ...deviceWarnings(passed, wanted, variables),
    ],
  };
}

/** The variables of included and extended files whose values are in what ships. */
function writtenWhenRead({ filled, resolved, active, variables }: ShipmentParts): WrittenVariable[] {
  const isShipped = shippedPlaces(resolved, new Set(active));
  const shipped = filled.filter(({ at }) => isShipped(at));
  for (const { name, file, at } of shipped) variables.secrets.refuseName(name, `${file}: ${at.join('.')}`);
  return shipped.map(({ name, at, origin }) => ({ name, where: at.join('.'), origin }));
}

/** Those of the names whose value comes from the project's `.env`. */
function givenByDotenv({ folder, variables }: ShipmentParts, names: readonly string[]): [string, string][] {
  const given = names.filter((name) => isFromFile(name, variables));
  for (const name of given) variables.secrets.refuseName(name, `${folder}/.env`);
  for (const name of given.filter(isSteering)) throw steeringError(name, folder);
  return given.map((name) => [name, variables.file.get(name) ?? '']);
}

/** Only a name without a value gets here: everything else has its value in the Compose file. */
function steeringError(name: string, folder: string): UsageError {
  return new UsageError(
    `${name} of ${folder}/.env can't ship: it would change Compose or Docker on the device`,
    {
      hint: `write the value where the Compose file passes the name on, as in ${name}: "\${${name}}"`,
    },
  );
}

/** The secrets of includes whose variable is one of the names. */
function includedSecrets(
  { secretValues, variables }: ShipmentParts,
  names: readonly string[],
): [string, SecretValue][] {
  const used = [...secretValues].filter(([name]) => names.includes(name));
  for (const [, { name, file, at }] of used) variables.secrets.refuseName(name, `${file}: ${at.join('.')}`);
  return used;
}

function isFromFile(name: string, { file, lookup }: Variables): boolean {
  return file.has(name) && file.get(name) === lookup(name);
}

/** One warning for each source of values, with the names and never the values. */
function writtenWarnings(
  written: readonly Pick<WrittenVariable, 'name' | 'origin'>[],
  into: string,
): string[] {
  const origins = [...new Set(written.map(({ origin }) => origin))].sort();
  return origins.map((origin) => {
    const names = new Set(written.filter((one) => one.origin === origin).map(({ name }) => name));
    return `written into the shipped ${into} from ${origin}: ${[...names].sort().join(', ')}`;
  });
}

function deviceWarnings(
  passed: readonly string[],
  wanted: readonly string[],
  variables: Variables,
): string[] {
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
