import { describe, expect, it } from 'vitest';
import type { ArtifactContent } from '../../../src/pipeline/verify/content.ts';
import { manifestProblems } from '../../../src/pipeline/verify/manifest.ts';

/** What `verify` says of these files in `manifests/`, in an artifact without images. */
function problemsOf(
  files: Record<string, string>,
  { tooLarge = [], images = [] }: { tooLarge?: string[]; images?: object[] } = {},
): string[] {
  const manifests = Object.entries(files).map(([path, text]) => ({ path, size: text.length }));
  const report = {
    module: 'docker-compose',
    metaData: {},
    manifests,
  } as unknown as ArtifactContent['report'];
  const contents = new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]));
  return manifestProblems({
    ...{ path: 'a.mender', report, tooLarge, composeFiles: contents, smallFiles: contents },
    images: images as ArtifactContent['images'],
  });
}

const WEB = [{ report: { image: 'web:1', folder: '0', platform: 'linux/amd64' } }];
/** A service that is complete but for `lines`. */
const service = (lines: string, more = ''): string =>
  `services:\n  web:\n    image: web:1\n    ${lines}\n${more}`;

const COMPOSE = 'docker-compose.yaml';
const EMPTY = { [COMPOSE]: 'services: {}\n' };

describe('manifestProblems', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['nothing', EMPTY, []],
    ['settings of Compose', { ...EMPTY, '.env': 'COMPOSE_FILE=x' }, ['manifests/.env sets COMPOSE_FILE']],
    [
      'a setting of Compose as the second on its line',
      { ...EMPTY, '.env': "A='x' COMPOSE_FILE=x" },
      ['manifests/.env sets COMPOSE_FILE'],
    ],
    [
      'a key that is there twice',
      { [COMPOSE]: 'services: {}\nservices: {}\n' },
      [`manifests/${COMPOSE}:2:1: the key services is there twice`],
    ],
  ])('%s', (_name, files, problems) => expect(problemsOf(files)).toEqual(problems));

  it.each(['.env', 'docker-compose.override.yaml'])('%s that is too large to be checked', (name) => {
    expect(problemsOf(EMPTY, { tooLarge: [name] })).toEqual([`manifests/${name} is too large to be checked`]);
  });

  it.each<[string, string, Record<string, string>, string?]>([
    ['an env file', 'env_file: [a.env]', { 'a.env': 'A=1' }],
    ['no env file', 'env_file: [a.env]', {}, 'services.web.env_file: manifests/a.env is not in the artifact'],
    ['no optional env file', 'env_file: [{path: a.env, required: false}]', {}],
    [
      'a folder in its place',
      'env_file: [a.env]',
      { 'a.env/x': '' },
      'services.web.env_file: manifests/a.env is a folder, expected a file',
    ],
    [
      'an env file outside',
      'env_file: [../../a.env]',
      {},
      'services.web.env_file: ../../a.env is outside of manifests/',
    ],
    ['an env file of the device', 'env_file: [/etc/a.env]', {}],
    ['an env file that needs a variable', 'env_file: [a.env]', { 'a.env': 'A=${B:?}' }],
    ['an env file that is raw', 'env_file: [{path: a.env, format: raw}]', { 'a.env': 'A="x\n' }],
    [
      'an env file that is odd',
      'env_file: [a.env]',
      { 'a.env': 'A="x\n' },
      'services.web.env_file: manifests/a.env',
    ],
    ['no label file', 'label_file: [l]', {}, 'services.web.label_file: manifests/l is not in the artifact'],
    [
      'no profile of seccomp',
      'security_opt: ["seccomp:./s.json"]',
      {},
      'services.web.security_opt: manifests/s.json is not in the artifact',
    ],
    ['no config', 'configs: [c]', {}, 'configs.c.file: manifests/c.conf is not in the artifact'],
    ['no secret', 'secrets: [c]', {}, 'secrets.c.file: ../c.txt is outside of manifests/'],
    ['a new folder to mount', 'volumes: ["./data:/data"]', {}],
    [
      'a folder outside to mount',
      'volumes: ["../..:/x"]',
      {},
      'services.web.volumes: ../.. is outside of manifests/',
    ],
    ['its own platform', 'platform: linux/x86_64', {}],
    [
      'another platform',
      'platform: linux/s390x',
      {},
      'services.web.platform is linux/s390x, and its image is for linux/amd64',
    ],
  ])('a service with %s', (_name, lines, files, problem) => {
    const more = 'configs: {c: {file: ./c.conf}}\nsecrets: {c: {file: ../c.txt}}\n';
    const found = problemsOf({ [COMPOSE]: service(lines, more), ...files }, { images: WEB });
    expect(found).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)]);
  });

  it.each(['web:1', 'docker.io/library/web:1', 'index.docker.io/web:1'])(
    'compares the platform of a service that calls its image %s',
    (image) => {
      const file = `services:\n  web:\n    image: ${image}\n    platform: linux/s390x\n`;
      expect(problemsOf({ [COMPOSE]: file }, { images: WEB })).toEqual([
        expect.stringContaining('services.web.platform is linux/s390x, and its image is for linux/amd64'),
      ]);
    },
  );

  const MANY = 200_000;
  it.each<[string, Record<string, string>]>([
    ['line ends in .env', { ...EMPTY, '.env': '\n'.repeat(MANY) }],
    ['carriage returns in .env', { ...EMPTY, '.env': '\r'.repeat(MANY) }],
    ['names without a value in .env', { ...EMPTY, '.env': 'export A\n'.repeat(MANY) }],
    [
      'keys in the Compose file',
      { [COMPOSE]: `services: {}\nx-a:\n${Array.from({ length: 40_000 }, (_, i) => ` k${i}:\n`).join('')}` },
    ],
  ])('takes linear time for many %s', { timeout: 15_000 }, (_name, files) => {
    expect(problemsOf(files)).toEqual([]);
  });
});
