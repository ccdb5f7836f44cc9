import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readApplication } from '../../../src/compose/application.ts';
import { asMapping, scalarText } from '../../../src/compose/read/yaml/value.ts';
import type { Mapping } from '../../../src/compose/read/yaml/value.ts';
import { compose, findNewestCompose } from '../../helpers/compose.ts';
import { projectIn } from '../project.ts';

const command = findNewestCompose();
const FILES = {
  'compose.yaml': 'services: {web: {image: "x:${TAG:-none}", command: [compose]}}\n',
  'compose.override.yaml': 'services: {web: {command: [override]}}\n',
  'prod.yaml': 'services: {web: {command: [prod]}, more: {image: y, profiles: [p]}}\n',
  'prod.env': 'TAG=prod\nONLY=1\n',
  'second.env': 'TAG=${TAG}-second\n',
  '.env': 'TAG=dev\n',
};

async function read(files: Record<string, string>, environment: Record<string, string>) {
  const folder = projectIn({ ...FILES, ...files });
  const inFolder = Object.entries(environment).map(([name, value]) => [name, value.replaceAll('@', folder)]);
  const env = Object.fromEntries(inFolder) as Record<string, string>;
  const application = await readApplication({ composeFiles: [folder], profiles: [], environment: env });
  const web = asMapping(asMapping(application.model['services'])['web']);
  const own = { image: web['image'], command: web['command'], services: application.services.length };
  if (command !== undefined) expect(own).toEqual(realRead(folder, env));
  return `${scalarText(own.image)} ${JSON.stringify(own.command)} ${own.services}`;
}

function realRead(folder: string, environment: Record<string, string>): object {
  if (command === undefined) throw new Error('there is no real Compose');
  const model = JSON.parse(compose(command, ['config', '--format', 'json'], folder, environment)) as Mapping;
  const services = asMapping(model['services']);
  const web = asMapping(services['web']);
  return { image: web['image'], command: web['command'], services: Object.keys(services).length };
}

describe('a folder is read as the environment says', () => {
  test.each<[string, Record<string, string>, string]>([
    ['nothing', {}, 'x:dev ["override"] 1'],
    ['COMPOSE_FILE', { COMPOSE_FILE: 'compose.yaml:prod.yaml' }, 'x:dev ["prod"] 1'],
    [
      'COMPOSE_PATH_SEPARATOR',
      { COMPOSE_FILE: 'compose.yaml;prod.yaml', COMPOSE_PATH_SEPARATOR: ';' },
      'x:dev ["prod"] 1',
    ],
    [
      'COMPOSE_PROFILES',
      { COMPOSE_FILE: 'compose.yaml:prod.yaml', COMPOSE_PROFILES: 'p' },
      'x:dev ["prod"] 2',
    ],
    ['COMPOSE_ENV_FILES', { COMPOSE_ENV_FILES: '@/prod.env' }, 'x:prod ["override"] 1'],
    [
      'several COMPOSE_ENV_FILES',
      { COMPOSE_ENV_FILES: '@/prod.env,@/second.env' },
      'x:prod-second ["override"] 1',
    ],
    ['COMPOSE_DISABLE_ENV_FILE', { COMPOSE_DISABLE_ENV_FILE: 'True' }, 'x:none ["override"] 1'],
    ['COMPOSE_DISABLE_ENV_FILE=t', { COMPOSE_DISABLE_ENV_FILE: 't' }, 'x:none ["override"] 1'],
    ['COMPOSE_DISABLE_ENV_FILE=0', { COMPOSE_DISABLE_ENV_FILE: '0' }, 'x:dev ["override"] 1'],
    [
      'an environment above env files',
      { COMPOSE_ENV_FILES: '@/prod.env', TAG: 'env' },
      'x:env ["override"] 1',
    ],
  ])('%s', async (_name, environment, expected) => {
    expect(await read({}, environment)).toBe(expected);
  });

  test('COMPOSE_FILE of the .env', async () => {
    const dotenv = 'TAG=dev\nCOMPOSE_FILE=compose.yaml:prod.yaml\nCOMPOSE_PROFILES=p\n';
    expect(await read({ '.env': dotenv }, {})).toBe('x:dev ["prod"] 2');
  });
});

describe('an environment is refused with', () => {
  test.each<[Record<string, string>, string]>([
    [{ COMPOSE_DISABLE_ENV_FILE: 'yes' }, 'COMPOSE_DISABLE_ENV_FILE is "yes", which is not a boolean'],
    [{ COMPOSE_ENV_FILES: '/nowhere/a.env' }, 'env file /nowhere/a.env: no such file'],
    [{ COMPOSE_FILE: 'gone.yaml' }, 'gone.yaml does not exist'],
    [{ COMPOSE_FILE: '../other/compose.yaml' }, 'COMPOSE_FILE names files outside of'],
    [{ COMPOSE_PROJECT_NAME: 'My Shop' }, 'COMPOSE_PROJECT_NAME is "My Shop", which is not a project name'],
  ])('%j', async (environment, message) => {
    const folder = projectIn(FILES);
    const reading = readApplication({ composeFiles: [folder], profiles: [], environment });
    await expect(reading).rejects.toThrow(message);
  });
});

test('a named file is read whatever COMPOSE_FILE says', async () => {
  const folder = projectIn(FILES);
  const { files } = await readApplication({
    composeFiles: [join(folder, 'compose.yaml')],
    profiles: [],
    environment: { COMPOSE_FILE: 'prod.yaml' },
  });
  expect(files).toEqual([join(folder, 'compose.yaml')]);
});
