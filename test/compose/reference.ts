import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mapping, Value } from '../../src/compose/read/yaml/value.ts';
import { asMapping } from '../../src/compose/read/yaml/value.ts';
import type { ComposeCommand } from '../helpers/compose.ts';
import { compose } from '../helpers/compose.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import type { Case } from './cases.ts';
import type { ReadyApplication } from './project.ts';
import { composeFilesOf, filesOf, readToShip, unpack } from './project.ts';

/** Reads the project of a case in its folder, in the same environment as `resolveOriginal`. */
export function readIn(one: Case, folder: string): Promise<ReadyApplication> {
  const { profiles = [], environment = {} } = one;
  return readToShip({
    composeFiles: composeFilesOf(one, folder),
    profiles,
    environment: { HOME: '/root', ...environment },
  });
}

/** What `docker compose config` makes of the project. */
export function resolveOriginal(docker: ComposeCommand, one: Case, folder: string): Mapping {
  const isFolder = one.composeFiles?.[0] === '.';
  const files = isFolder ? [] : composeFilesOf(one, folder).flatMap((path) => ['-f', path]);
  const profiles = (one.profiles ?? []).flatMap((profile) => ['--profile', profile]);
  const args = [...files, ...profiles, '-p', 'shop', 'config', '--format', 'json'];
  return parsed(compose(docker, args, folder, one.environment ?? {}));
}

/**
 * What Compose on a device should make of the shipped files, and what it makes of them, where and
 * how a device runs it: in an environment that has nothing of the build's. Both without what does
 * not ship.
 */
export function resolveBoth(
  docker: ComposeCommand,
  application: ReadyApplication,
  original: Mapping,
  folder: string,
): { wanted: Mapping; shipped: Mapping } {
  const device = join(temporaryFolder(), 'device');
  const manifests = join(device, 'manifests');
  unpack(filesOf(application), manifests);
  mkdirSync(device, { recursive: true });
  const args = ['--project-directory', 'manifests', '-p', 'shop', 'config', '--format', 'json'];
  const json = compose(docker, args, device, {});
  return {
    wanted: comparable(movedTo(manifests, original, folder)),
    shipped: comparable(parsed(json.replaceAll('/.set-aside/', '/'))),
  };
}

function movedTo(manifests: string, original: Mapping, folder: string): Mapping {
  const moved = JSON.stringify(original).replaceAll(folder, manifests);
  return JSON.parse(moved.replaceAll(`${dirname(folder)}/`, `${manifests}/.outside/`)) as Mapping;
}

/** `config` writes `$` as `$$`. */
function parsed(json: string): Mapping {
  return JSON.parse(json.replaceAll('$$', '$')) as Mapping;
}

/**
 * Without what the shipped Compose file leaves out: builds, profiles, what only they need, and
 * `x-*`.
 */
function comparable(model: Mapping): Mapping {
  const services = Object.entries(asMapping(model['services'])).map(([name, service]): [string, Value] => {
    const { build, profiles, depends_on: dependsOn, ...rest } = asMapping(service);
    const known = Object.entries(asMapping(dependsOn)).filter(
      ([needed]) => needed in asMapping(model['services']),
    );
    return [
      name,
      { ...rest, depends_on: Object.fromEntries(known), isBuilt: build !== undefined && profiles === null },
    ];
  });
  const known = Object.entries(model).filter(([key]) => !key.startsWith('x-'));
  return { ...Object.fromEntries(known), name: null, services: Object.fromEntries(services) };
}
