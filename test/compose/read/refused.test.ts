import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NotFoundError, UsageError } from '../../../src/errors.ts';
import { readApplication } from '../../../src/compose/application.ts';
import { requireImages } from '../../../src/compose/requireImages.ts';
import { compose, findCompose } from '../../helpers/compose.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import type { Case } from '../cases.ts';
import { composeFilesOf, projectIn, readCase, readManifest } from '../project.ts';

const command = findCompose();
const ok = 'services: {web: {image: web}}\n';
const only = (text: string): Case => ({ files: { 'compose.yaml': text } });
const bomb = (levels: number): string =>
  Array.from({ length: levels }, (_, at) =>
    at === 0
      ? 'x-0: &l0 [a, a, a, a, a, a, a, a, a, a]'
      : `x-${at}: &l${at} [${Array(10)
          .fill(`*l${at - 1}`)
          .join(', ')}]`,
  ).join('\n') + `\n${ok}`;

/**
 * What is wrong with a project, and what is said of it; the real docker compose refuses it as well.
 */
const REFUSED: Record<string, [Case, string | RegExp]> = {
  'no YAML': [only('services:\n  web: [a\n'), /compose\.yaml:\d+:\d+: invalid YAML/],
  'a tab for indentation': [only('services:\n\tweb: {image: x}\n'), /compose\.yaml:2:1: invalid YAML/],
  'a key twice': [
    only('services:\n  a: {image: x}\n  a: {image: y}\n'),
    /compose\.yaml:3:3: the key a is there twice/,
  ],
  'an unknown anchor': [only('services:\n  a: *none\n'), /compose\.yaml:2:6/],
  'a list at the top': [only('- a\n'), /compose\.yaml:1:1: a Compose file must be a mapping/],
  'an empty file': [only('# nothing\n'), 'has no services'],
  'services that are a list': [only('services: [a]\n'), 'services must be a mapping'],
  'a service that is a text': [only('services: {a: x}\n'), 'services.a must be a mapping'],
  'a service without content': [only('services: {a: }\n'), 'services.a must be a mapping'],
  'neither image nor build': [
    only('services: {a: {command: x}}\n'),
    'services.a has neither image nor build',
  ],
  'an invalid name': [only('services: {a/b: {image: x}}\n'), 'services.a/b: a name may only have letters'],
  'a volume that is not defined': [
    only('services: {a: {image: x, volumes: ["data:/d"]}}\n'),
    'services.a.volumes: data is not defined',
  ],
  'a volume in the long form that is not defined': [
    only('services: {a: {image: x, volumes: [{type: volume, source: v, target: /d}]}}\n'),
    'services.a.volumes: v is not defined',
  ],
  'a network that is not defined': [
    only('services: {a: {image: x, networks: {default: , n: }}}\n'),
    'services.a.networks: n is not defined',
  ],
  'a config that is not defined': [
    only('services: {a: {image: x, configs: [{source: c, target: /c}]}}\n'),
    'services.a.configs: c is not defined',
  ],
  'a secret that is not defined': [
    only('services: {a: {image: x, secrets: [s]}}\n'),
    'services.a.secrets: s is not defined',
  ],
  'services that depend on each other': [
    only('services: {a: {image: x, links: [b]}, b: {image: x, depends_on: [a]}}\n'),
    'services depend on each other: a needs b needs a',
  ],
  'a service that depends on itself, were it to run': [
    only('services: {a: {image: x, depends_on: {a: {condition: service_started, required: false}}}}\n'),
    'each other: a needs a',
  ],
  'network_mode together with networks': [
    only('services: {a: {image: x, network_mode: host, networks: [default]}}\n'),
    'services.a has both network_mode and networks',
  ],
  'a key that is a number': [
    only('services:\n  a: {image: x, environment: {1: x}}\n'),
    /compose\.yaml:2:31: the key 1 is not a string/,
  ],
  'a key that is true': [only(`x-a: {true: 1}\n${ok}`), 'the key true is not a string'],
  'an alias in its own anchor': [only(`x-a: &a [*a]\n${ok}`), 'alias inside its own anchor'],
  'a required variable': [
    only('services:\n  web:\n    image: "web:${TAG:?which}"\n'),
    /compose\.yaml:3:12: required variable TAG is missing a value: which/,
  ],
  'a required variable of a service that does not run': [
    only('services: {web: {image: web}, d: {image: "d:${TAG?}", profiles: [d]}}\n'),
    'required variable TAG is missing a value',
  ],
  'a variable in a port, without its value': [
    { ...only('services: {web: {image: web, ports: ["${P}"]}}\n'), environment: { P: 's3cret-value' } },
    /: services\.web\.ports\.0 has an invalid container port: \$P$/,
  ],
  'a variable in a number, without its value': [
    {
      files: {
        'compose.yaml': 'services: {web: {image: web, cpus: "1${P}"}}\n',
        '.env': `P='s3cret"value'\n`,
      },
    },
    /: services\.web\.cpus must be a number, not "1\$P"$/,
  ],
  'an open brace': [
    only('services:\n  web: {image: web, command: ["echo ${"]}\n'),
    /:2:\d+: invalid interpolation/,
  ],
  'a service that extends itself': [
    only('services: {a: {image: x, extends: b}, b: {extends: a}}\n'),
    'extends has a cycle',
  ],
  'a service that extends nothing': [only('services: {a: {extends: b}}\n'), 'services.a extends b, which'],
  'an extended file that is missing': [
    only('services: {a: {extends: {file: no.yaml, service: b}}}\n'),
    'no.yaml does not exist',
  ],
  'an include that is missing': [only(`include: [no.yaml]\n${ok}`), 'no.yaml does not exist'],
  'an include of itself': [
    { files: { 'compose.yaml': `include: [b.yaml]\n${ok}`, 'b.yaml': 'include: [compose.yaml]\n' } },
    'include has a cycle',
  ],
  'an include that says something else': [
    { files: { 'compose.yaml': `include: [b.yaml]\n${ok}`, 'b.yaml': 'services: {web: {image: other}}\n' } },
    'services.web conflicts with an included one',
  ],
  'an include with a missing env file': [
    {
      files: {
        'compose.yaml': `include: [{path: b.yaml, env_file: no.env}]\n${ok}`,
        'b.yaml': 'services: {b: {image: b}}',
      },
    },
    'no.env: no such file',
  ],
  'an env file that is missing': [
    only('services: {web: {image: web, env_file: no.env}}\n'),
    'services.web.env_file: no.env does not exist',
  ],
  'an unreadable .env': [
    { files: { '.env': 'A="x\n', 'compose.yaml': ok } },
    '.env:1: the quote is not closed',
  ],
  'a list over a mapping': [
    {
      files: {
        'a.yaml': 'services: {web: {image: x, deploy: {replicas: 1}}}\n',
        'b.yaml': 'services: {web: {deploy: [x]}}\n',
      },
      composeFiles: ['a.yaml', 'b.yaml'],
    },
    "can't merge services.web.deploy",
  ],
  'a dependency that does not exist': [
    only('services: {web: {image: web, depends_on: [db]}}\n'),
    'services.web needs db, which does not exist',
  ],
  'a dependency that does not run': [
    only('services: {web: {image: web, depends_on: [db]}, db: {image: db, profiles: [x]}}\n'),
    'services.web needs db, which is in no enabled profile',
  ],
  'the network of a service that does not run': [
    only('services: {web: {image: web, network_mode: "service:db"}, db: {image: db, profiles: [x]}}\n'),
    'services.web needs db',
  ],
};

describe('refused, by the real docker compose too', () => {
  test.each(Object.entries(REFUSED))('%s', async (_name, [one, message]) => {
    await expect(readCase(one)).rejects.toThrow(message);
    const error: unknown = await readCase(one).catch((thrown: unknown) => thrown);
    expect(error instanceof UsageError || error instanceof NotFoundError).toBe(true);
    if (command === undefined) return;
    const folder = projectIn(one.files);
    const files = composeFilesOf(one, folder).flatMap((path) => ['-f', path]);
    expect(() => compose(command, [...files, 'config'], folder, {})).toThrow();
  });
});

describe('refused before it reaches a device', () => {
  test.each<[string, Case, string]>([
    ['a bomb of aliases', only(bomb(9)), 'more than 200000 values'],
    ['no services', only('x-a: 1\n'), 'has no services'],
    [
      'a secret that is missing',
      only('services: {web: {image: web, secrets: [s]}}\nsecrets: {s: {file: ./s}}\n'),
      'secrets.s.file: ./s does not exist',
    ],
    [
      'a label file that is missing',
      only('services: {web: {image: web, label_file: l}}\n'),
      'services.web.label_file',
    ],
    [
      'a mount that must be there',
      only(
        'services: {web: {image: web, volumes: [{type: bind, source: ./d, target: /d, bind: {create_host_path: false}}]}}\n',
      ),
      'services.web.volumes: ./d does not exist',
    ],
    ['settings that are no mapping', only(`x-mender: [a]\n${ok}`), 'x-mender must be a mapping'],
    ['a key named __proto__', only(`x-a: {__proto__: {a: 1}}\n${ok}`), '__proto__'],
    [
      'a folder as env file',
      { files: { 'compose.yaml': 'services: {web: {image: web, env_file: d}}', 'd/f': '' } },
      'd is a folder',
    ],
  ])('%s', async (_name, one, message) => {
    await expect(readCase(one)).rejects.toThrow(message);
  });

  test.each<[string, (folder: string) => string, string]>([
    ['a file that is missing', (folder) => join(folder, 'no.yaml'), 'no.yaml does not exist'],
    [
      'a folder without a manifest',
      (folder) => folder,
      'looked for compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml',
    ],
  ])('%s', async (_name, path, message) => {
    const read = readApplication({ composeFiles: [path(temporaryFolder())], profiles: [], environment: {} });
    await expect(read).rejects.toThrow(NotFoundError);
    await expect(read).rejects.toThrow(message);
  });

  test('a manifest larger than any manifest', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'compose.yaml'), `${ok}# ${'x'.repeat(4 << 20)}\n`);
    const read = readApplication({ composeFiles: [folder], profiles: [], environment: {} });
    await expect(read).rejects.toThrow('bytes, more than');
  });

  test('a folder named like a manifest', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'compose.yaml'));
    const read = readApplication({ composeFiles: [folder], profiles: [], environment: {} });
    await expect(read).rejects.toThrow('is a folder');
  });
});

describe('requireImages', () => {
  const text = 'services: {web: {build: .}, db: {image: db}, dbg: {image: d, profiles: [x]}}\n';

  test('names -i and -f for a service that is only built', async () => {
    const application = await readManifest(text);
    expect(() => requireImages(application, [])).toThrow('no image for web');
    expect(() => requireImages(application, [])).toThrow(
      expect.objectContaining({ hint: 'build it, then name it with -i web=IMAGE or -f web=FILE' }) as Error,
    );
    expect(() => requireImages(application, ['web'])).not.toThrow();
  });

  test('names the services that there are', async () => {
    const application = await readManifest(text);
    expect(() => requireImages(application, ['wbe'])).toThrow('no service wbe: there are web, db');
    expect(() => requireImages(application, ['dbg'])).toThrow('no service dbg in an enabled profile');
  });
});
