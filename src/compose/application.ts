import { UsageError } from '../errors.ts';
import { applicationVariables, profilesOf } from './read/variables/application.ts';
import { unknownAttributes } from './read/check/attributes.ts';
import type { Shipment } from './ship/shipment.ts';
import { prepareShipment, shipmentFiles } from './ship/shipment.ts';
import { loadFiles } from './read/load.ts';
import { locateFiles } from './read/locateFiles.ts';
import type { Notes, Scope } from './read/scope.ts';
import { checkResources } from './read/check/resources.ts';
import { activeServices, checkServices } from './read/check/services.ts';
import { interpolate } from './read/variables/template.ts';
import type { Mapping } from './read/yaml/value.ts';
import { isMapping, mapStrings, asMapping, scalarText, withoutTags } from './read/yaml/value.ts';
import type { Environment } from './read/variables/variables.ts';

/** A service that runs on the device. */
interface Service {
  name: string;
  /** The image's name, variables filled in. */
  image?: string;
  hasBuild: boolean;
  /** `os/arch[/variant]`, where the manifest asks for one. */
  platform?: string;
}

/** A Compose project, read and resolved for one set of profiles. */
export interface Application {
  /** Absolute: the folder of the first manifest. */
  projectFolder: string;
  /** Every manifest that was read, absolute, in order. */
  files: string[];
  /** The top-level `name`. */
  projectName?: string;
  /** Those that run, in the manifest's order. */
  services: Service[];
  /** Services of profiles that are not enabled. */
  inactive: string[];
  /** The top-level `x-mender`, variables filled in. */
  settings: Mapping;
  /** The merged model with all variables filled in, as `docker compose config` resolves it, in the form it was written. */
  model: Mapping;
  warnings: string[];
  /** What `shippedFiles` makes the shipped files from. */
  shipment: Shipment;
}

export interface ReadOptions {
  /** Files, later ones over earlier ones; or a folder with a manifest of a default name. */
  composeFiles: readonly string[];
  /** Enabled profiles, `*` for all; none: what COMPOSE_PROFILES names. */
  profiles: readonly string[];
  /** The environment of the build. */
  environment: Environment;
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
 * Reads a Compose project as `docker compose` does: several files merged, variables, `.env`, `extends`, `include`,
 * profiles. Throws NotFoundError for a missing manifest or a missing file that the manifest needs, and UsageError, with file,
 * line and column where there is one, for what Compose would refuse. https://github.com/compose-spec/compose-spec
 */
export async function readApplication(options: ReadOptions): Promise<Application> {
  const { folder, paths } = await locateFiles(options.composeFiles);
  const notes: Notes = { files: new Set(), unset: new Set(), baked: new Set() };
  const variables = await applicationVariables(folder, paths, options.environment);
  const scope: Scope = { folder, variables, trail: [], keepsVariables: true, notes };
  const loaded = await loadFiles(paths, scope);
  const deferred = asMapping(withoutTags(loaded.model));
  const resolved = asMapping(mapStrings(deferred, (text) => interpolate(text, variables.lookup)));
  requireServices(resolved, paths);
  const active = activeServices(resolved, profilesOf(options.profiles, variables));
  checkServices(resolved, active);
  checkResources(resolved, active);
  const authored = loaded.only === undefined ? {} : { authored: loaded.only };
  const shipped = await prepareShipment({ folder, deferred, resolved, active, variables, ...authored });
  return {
    projectFolder: folder,
    files: [...notes.files],
    ...(typeof resolved['name'] === 'string' ? { projectName: resolved['name'] } : {}),
    services: active.map((name) => serviceOf(name, asMapping(asMapping(resolved['services'])[name]))),
    inactive: Object.keys(asMapping(resolved['services'])).filter((name) => !active.includes(name)),
    settings: settingsOf(resolved),
    model: resolved,
    warnings: [...warningsOf(notes, resolved), ...shipped.warnings],
    shipment: shipped.shipment,
  };
}

/**
 * The files for the device, sorted by path: `docker-compose.yaml`, the local files that it refers to, and a `.env` with what
 * its variables need. A service's image is the one in `imageNames` (a tag, never a digest), else its own.
 *
 * A device does with them what Compose would do here: a variable keeps its place when the project's own `.env` gives
 * its value, or when it has none (the device's environment may then give one); the value itself is written when it comes
 * from the build's environment, or from the env file of an include. Names passed through (`environment: [NAME]`) are
 * asked of the device. Services of other profiles are left out, and so are `profiles`, `build` and a `pull_policy`
 * that asks a registry. A single manifest keeps its comments and layout.
 */
export function shippedFiles(
  application: Application,
  imageNames: ReadonlyMap<string, string>,
): ShippedFile[] {
  const images = application.services.flatMap(({ name, image }) => {
    const shipped = imageNames.get(name) ?? image;
    return shipped === undefined ? [] : [{ service: name, image: shipped }];
  });
  return shipmentFiles(application.shipment, images);
}

function requireServices(model: Mapping, paths: readonly string[]): void {
  if (Object.keys(asMapping(model['services'])).length > 0) return;
  throw new UsageError(`manifest ${paths.join(', ')} has no services`, {
    hint: 'it needs a services section',
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

function warningsOf(notes: Notes, model: Mapping): string[] {
  const unknown = unknownAttributes(model);
  const [unset, baked] = [[...notes.unset].sort(), [...notes.baked].sort()];
  return [
    ...(unknown.length > 0
      ? [`Compose does not know ${unknown.join(', ')}: a device may refuse the manifest`]
      : []),
    ...(unset.length > 0 ? [`not set, and empty where used: ${unset.join(', ')}`] : []),
    ...(baked.length > 0
      ? [`written into the shipped manifest, as the build's environment gives them: ${baked.join(', ')}`]
      : []),
  ];
}
