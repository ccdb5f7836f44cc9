import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Application } from '../../../src/compose/application.ts';
import type { Mapping, Value } from '../../../src/compose/read/yaml/value.ts';
import { asMapping } from '../../../src/compose/read/yaml/value.ts';
import { projectVariables } from '../../../src/compose/read/variables/variables.ts';
import type { ComposeCommand } from '../../helpers/compose.ts';
import { compose, findCompose, findNewestCompose } from '../../helpers/compose.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import type { Case } from '../cases.ts';
import { CASES } from '../cases.ts';
import { normalService } from './normal.ts';
import type { ReadyApplication } from '../project.ts';
import { composeFilesOf, filesOf, projectIn, readToShip, unpack } from '../project.ts';

describe.each([
  ['of a device', findCompose()],
  ['the newest one', findNewestCompose()],
])('the real docker compose, %s, agrees', (_which, command) => {
  if (command === undefined) {
    test('is not asked, as SKIP_DEVICE=1 says', () => expect(process.env['SKIP_DEVICE']).toBe('1'));
    return;
  }
  test.each(Object.entries(CASES))('%s', async (_name, one) => {
    const folder = projectIn(one.files);
    const application = await read(one, folder);
    const real = realModel(command, one, folder);
    expect(await ownModel(application, one)).toEqual(normalModel(real, folder));

    const device = join(temporaryFolder(), 'device');
    unpack(filesOf(application), join(device, 'manifests'));
    expect(onDevice(command, device)).toEqual(expectedOnDevice(real, folder, join(device, 'manifests')));
  });
});

function read(one: Case, folder: string): Promise<ReadyApplication> {
  const { profiles = [], environment = {} } = one;
  return readToShip({
    composeFiles: composeFilesOf(one, folder),
    profiles,
    environment: { HOME: '/root', ...environment },
  });
}

/** What `docker compose config` makes of the project. */
function realModel(docker: ComposeCommand, one: Case, folder: string): Mapping {
  const isFolder = one.composeFiles?.[0] === '.';
  const files = isFolder ? [] : composeFilesOf(one, folder).flatMap((path) => ['-f', path]);
  const profiles = (one.profiles ?? []).flatMap((profile) => ['--profile', profile]);
  const args = [...files, ...profiles, '-p', 'shop', 'config', '--format', 'json'];
  return parsed(compose(docker, args, folder, one.environment ?? {}));
}

/** What Compose makes of the shipped files where and how a device runs it, in an environment that has nothing of the build's. */
function onDevice(docker: ComposeCommand, device: string): Mapping {
  mkdirSync(device, { recursive: true });
  const args = ['--project-directory', 'manifests', '-p', 'shop', 'config', '--format', 'json'];
  const json = compose(docker, args, device, {});
  return comparable(parsed(json.replaceAll('/.set-aside/', '/')));
}

function expectedOnDevice(real: Mapping, folder: string, manifests: string): Mapping {
  const moved = JSON.stringify(real).replaceAll(folder, manifests);
  return comparable(parsed(moved.replaceAll(`${dirname(folder)}/`, `${manifests}/.outside/`)));
}

/** `config` writes `$` as `$$`. */
function parsed(json: string): Mapping {
  return JSON.parse(json.replaceAll('$$', '$')) as Mapping;
}

/** Without what the shipped Compose file leaves out: builds, profiles, what only they need, and `x-*`. */
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

async function ownModel(application: Application, one: Case): Promise<Record<string, unknown>> {
  const environment = { HOME: '/root', ...one.environment };
  const { lookup } = await projectVariables(application.projectFolder, environment);
  const services = asMapping(application.model['services']);
  const own = application.services.map(({ name }) => [
    name,
    normalService(asMapping(services[name]), application.projectFolder, lookup),
  ]);
  return Object.fromEntries(own) as Record<string, unknown>;
}

function normalModel(real: Mapping, folder: string): Record<string, unknown> {
  const nothing = () => undefined;
  const services = Object.entries(asMapping(real['services']));
  return Object.fromEntries(
    services.map(([name, service]) => [name, normalService(asMapping(service), folder, nothing)]),
  );
}
