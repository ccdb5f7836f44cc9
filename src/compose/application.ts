import type { Environment } from '../environment.ts';
import { UsageError } from '../errors.ts';
import { applicationVariables, profilesOf, projectName } from './read/variables/application.ts';
import { consistencyFaults } from './read/check/consistency.ts';
import { neverStartFaults } from './read/check/neverStarts.ts';
import { startFaults } from './read/check/starts.ts';
import { checkModel, throwFirst } from './read/check/model.ts';
import type { Origin } from './read/check/model.ts';
import type { ShipmentParts } from './ship/parts.ts';
import type { Shipment } from './ship/shipment.ts';
import { shipmentFiles } from './ship/shipment.ts';
import { loadFiles } from './read/load.ts';
import { locateFiles } from './read/locateFiles.ts';
import type { Notes, Scope } from './read/scope.ts';
import { namingVariables } from './read/namingVariables.ts';
import { newNotes } from './read/scope.ts';
import { checkResources } from './read/check/resources.ts';
import { refuseUnsupported } from './read/check/unsupported.ts';
import { activeServices, checkServices } from './read/check/services.ts';
import type { NamedSecret, OwnSecrets } from './read/variables/ownSecrets.ts';
import { interpolate } from './read/variables/template.ts';
import type { Mapping } from './read/yaml/value.ts';
import { isMapping, mapStrings, asMapping, scalarText, withoutTags } from './read/yaml/value.ts';

/** A service that runs on the device. */
interface Service {
  name: string;
  /** The reference of the image, with variables filled in. */
  image?: string;
  hasBuild: boolean;
  /** `os/arch[/variant]`, if the Compose file asks for one. */
  platform?: string;
}

/** A Compose project, read and resolved for one set of profiles. */
export interface Application {
  /** Absolute: the folder of the first Compose file. */
  projectFolder: string;
  /** Every Compose file that was read, absolute, in order. */
  files: string[];
  /** The top-level `name`. */
  projectName?: string;
  /** The services that run, in the order of the Compose file. */
  services: Service[];
  /** Services of profiles that are not enabled. */
  inactive: string[];
  /** The top-level `x-mender`, with variables filled in. */
  settings: Mapping;
  /** The merged model with all variables filled in. Short forms stay as they are written. */
  model: Mapping;
  warnings: string[];
  /** What `prepareShipment` needs. */
  parts: ShipmentParts;
}

export interface ReadOptions {
  /**
   * Compose files, later ones over earlier ones, or a folder with a Compose file of a default name.
   */
  composeFiles: readonly string[];
  /** Enabled profiles, `*` for all. If empty, those in COMPOSE_PROFILES. */
  profiles: readonly string[];
  /** The environment of the build, with the variables of Compose like `COMPOSE_FILE`. */
  environment: Environment;
  /**
   * Those of its variables that somebody gave for this application alone, so that their values are
   * meant to ship.
   */
  meantToShip?: ReadonlySet<string>;
  /** What must not ship, in addition to the variables that always are secrets of the build. */
  secrets?: readonly NamedSecret[];
}

/** A file of the artifact's `manifests/` folder. */
export interface ShippedFile {
  /** Relative to that folder. */
  path: string;
  /** Permission bits. */
  mode: number;
  content: Uint8Array | { file: string; size: number };
}

/**
 * Reads a Compose project as `docker compose` does, with variables, `.env`, `extends`, `include`
 * and profiles. Throws NotFoundError for a missing Compose file or a missing file that it needs,
 * and UsageError for anything that Compose refuses, with file, line and column if they are known.
 * https://github.com/compose-spec/compose-spec
 */
export async function readApplication(options: ReadOptions): Promise<Application> {
  const notes = newNotes();
  return namingVariables(notes.values, () => readNoting(notes, options));
}

async function readNoting(notes: Notes, options: ReadOptions): Promise<Application> {
  const { folder, paths } = await locateFiles(options.composeFiles, options.environment);
  const variables = await applicationVariables(folder, paths, options.environment, options.secrets);
  const scope: Scope = { folder, variables, trail: [], keepsVariables: true, notes };
  const loaded = await loadFiles(paths, scope);
  const deferred = asMapping(withoutTags(loaded.model));
  const filled = asMapping(mapStrings(deferred, (text) => interpolate(text, variables.lookup)));
  const only = loaded.only === undefined ? {} : { only: loaded.only };
  const origin: Origin = { paths, values: notes.values, ...only };
  const resolved = checkModel(filled, origin);
  requireServices(resolved, paths);
  refuseSecretsInNames(resolved, paths, variables.secrets);
  const active = activeServices(resolved, profilesOf(options.profiles, variables));
  checkActive(resolved, active, origin);
  const authored = loaded.only === undefined ? {} : { authored: loaded.only };
  const composeFiles = [...notes.files];
  const model = { deferred, resolved, active, variables };
  return {
    projectFolder: folder,
    files: composeFiles,
    ...projectNameOf(resolved),
    services: active.map((name) => serviceOf(name, asMapping(asMapping(resolved['services'])[name]))),
    inactive: Object.keys(asMapping(resolved['services'])).filter((name) => !active.includes(name)),
    settings: settingsOf(resolved),
    model: resolved,
    warnings: warningsOf(notes),
    parts: {
      meantToShip: options.meantToShip ?? new Set(),
      folder,
      composeFiles,
      ...model,
      filled: notes.filled,
      values: notes.values,
      secretFiles: notes.secretFiles,
      secretValues: notes.secretValues,
      ...authored,
    },
  };
}

/**
 * Returns the files for the device, sorted by path: `docker-compose.yaml`, the local files that it
 * refers to and a `.env` with the variables that it uses. The image of a service is the one in
 * `imageNames` (a tag, never a digest), else its own. Throws UsageError if a written file has the
 * value of a secret of the build.
 *
 * The device gets the configuration that Compose has here. An expression stays as it is if the
 * `.env` of the project gives its variable or if nothing does; the device's environment may then
 * set it. It is replaced by the value if that comes from the environment of the build or from the
 * env file of an include. A name without value (`environment: [NAME]`) takes its value from the
 * device. What no device uses is left out: services of other profiles, resources without a user,
 * `build`, `develop`, `profiles`, `x-*` and a `pull_policy` that asks a registry. A single Compose
 * file keeps its comments and layout if that is possible.
 */
export function shippedFiles(
  services: Application['services'],
  shipment: Shipment,
  imageNames: ReadonlyMap<string, string>,
): ShippedFile[] {
  const images = services.flatMap(({ name, image }) => {
    const shipped = imageNames.get(name) ?? image;
    return shipped === undefined ? [] : [{ service: name, image: shipped }];
  });
  return shipmentFiles(shipment, images);
}

/** Throws UsageError for what Compose refuses of the services that run. */
export function checkActive(model: Mapping, active: readonly string[], origin: Origin): void {
  checkServices(model, active);
  throwFirst([...consistencyFaults(model, active), ...startFaults(model, active)], origin);
  checkResources(model, active);
  refuseUnsupported(model, active);
}

/** Throws UsageError if a service of the application could start on no device. */
export function requireStartable({ model, parts }: Application): void {
  const { composeFiles: paths, values, authored: only } = parts;
  throwFirst(neverStartFaults(model, parts.active), {
    paths: [...paths],
    values,
    ...(only === undefined ? {} : { only }),
  });
}

/** Registries get the names of images, and artifacts their settings: neither may have a secret. */
function refuseSecretsInNames(model: Mapping, paths: readonly string[], secrets: OwnSecrets): void {
  const services = Object.entries(asMapping(model['services'])).map(([name, service]): [string, Mapping] => {
    const { image = null, platform = null, pull_policy = null } = asMapping(service);
    return [name, { image, platform, pull_policy }];
  });
  const { name = null, 'x-mender': settings = null } = model;
  const read = { name, 'x-mender': settings, services: Object.fromEntries(services) };
  secrets.refuseIn(read, paths.join(', '));
}

/** Compose's `name:` as devices get it. */
function projectNameOf({ name }: Mapping): { projectName?: string } {
  const normal = projectName(scalarText(name ?? null));
  return normal === '' ? {} : { projectName: normal };
}

function requireServices(model: Mapping, paths: readonly string[]): void {
  if (Object.keys(asMapping(model['services'])).length > 0) return;
  throw new UsageError(`Compose file ${paths.join(', ')} has no services`, {
    hint: 'add a services section',
  });
}

function serviceOf(name: string, service: Mapping): Service {
  const [image, platform] = [scalarText(service['image']), scalarText(service['platform'])];
  return {
    name,
    ...(image === '' ? {} : { image }),
    hasBuild: service['build'] !== undefined && service['build'] !== null,
    ...(platform === '' ? {} : { platform }),
  };
}

function settingsOf(model: Mapping): Mapping {
  const settings = model['x-mender'];
  if (settings === undefined || settings === null || isMapping(settings)) return asMapping(settings);
  throw new UsageError('x-mender must be a mapping of option names', {
    hint: 'write it like x-mender: {platform: linux/arm64}',
  });
}

function warningsOf(notes: Notes): string[] {
  const unset = [...notes.unset].sort();
  return [...(unset.length > 0 ? [`variables without a value, read as empty: ${unset.join(', ')}`] : [])];
}
