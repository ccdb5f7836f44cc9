import { describe, expect, it } from 'vitest';
import type { ArtifactContent } from '../../../src/pipeline/verify/content.ts';
import { manifestProblems } from '../../../src/pipeline/verify/manifest.ts';

/** What `verify` says of these files in `manifests/`, in an artifact without images. */
function problemsOf(files: Record<string, string>, tooLarge: string[] = []): string[] {
  const report = {
    module: 'docker-compose',
    metaData: {},
    manifests: [] as object[],
  } as ArtifactContent['report'];
  const composeFiles = new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]));
  return manifestProblems({ path: 'a.mender', report, images: [], composeFiles, tooLarge });
}

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
    expect(problemsOf(EMPTY, [name])).toEqual([`manifests/${name} is too large to be checked`]);
  });

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
