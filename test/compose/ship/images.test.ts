import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Case } from '../cases.ts';
import { filesOf, readCase, textsOf } from '../project.ts';

/** The names that the update module of a device finds. */
function foundOnDevice(text: string): string[] {
  const command = 'grep -E "^\\s+image:" | cut -d: -f2-';
  const output = execFileSync('sh', ['-c', command], { input: text, encoding: 'utf8' });
  return output.split(/\s+/).filter(Boolean);
}

const only = (text: string): Case => ({ files: { 'compose.yaml': text } });

const SPELLINGS: Record<string, Case> = {
  plain: only('services:\n  a:\n    image: x\n  b:\n    image: x\n'),
  'in quotes': only('services:\n  a:\n    image: "x"\n  b:\n    image: \'x\'\n'),
  'before a comment': only('services:\n  a:\n    image: x # pinned\n  b:\n    image: "x" # image: y\n'),
  'in a flow mapping': only('services:\n  a: {image: x}\n  b: { restart: always, image: "x" }\n'),
  'all in one line': only('services: {a: {image: x}, b: {image: x}}\n'),
  'by an anchor': only('services:\n  a: &a\n    image: x\n  b: *a\n'),
  'with an anchor of its own': only('services:\n  a:\n    image: &i x\n  b:\n    image: *i\n'),
  'by a merge key': only(
    'x-a: &a {image: x}\nservices:\n  a:\n    <<: *a\n  b:\n    <<: *a\n    restart: "no"\n',
  ),
  'in a folded text': only('services:\n  a:\n    image: >-\n      x\n  b:\n    image: |-\n      x\n'),
  'with a tag of YAML': only('services:\n  a:\n    image: !!str x\n  b:\n    image: x\n'),
  'with a long key': only('services:\n  a:\n    ? image\n    : x\n  b:\n    "image": x\n'),
  'far indented': only(
    'services:\n        a:\n                image: x\n        b:\n                image: x\n',
  ),
  'by a variable': only('services:\n  a:\n    image: "${X:-x}"\n  b:\n    image: x$Y\n'),
  'by extends': only('services:\n  a:\n    image: x\n  b:\n    extends: a\n'),
  'by include': {
    files: {
      'compose.yaml': 'include: [i.yaml]\nservices: {a: {image: "x"}}\n',
      'i.yaml': 'services: {b: {image: "x"}}\n',
    },
  },
  'in two files': {
    files: { 'compose.yaml': 'services: {a: {image: x}}\n', 'b.yaml': 'services: {b: {image: x}}\n' },
    composeFiles: ['compose.yaml', 'b.yaml'],
  },
};

/** Names that need care in YAML. */
const NAMES = [
  'shop/web:1.0',
  '127.0.0.1:5000/shop/web:1',
  '10:1',
  '0x10:1',
  '1e3:latest',
  'a/b:2026-11-29',
  'true:1',
];

describe('each image is a plain text on a line of its own', () => {
  test.each(Object.entries(SPELLINGS))('%s', async (_, one) => {
    const images = { a: 'shop/web:1', b: 'shop/db:2' };
    const text = textsOf(filesOf(await readCase(one), images))['docker-compose.yaml']!;
    expect(foundOnDevice(text).sort()).toEqual(['shop/db:2', 'shop/web:1']);
    expect(text).toMatch(/^ +image: shop\/web:1$/m);
    expect(parse(text)).toMatchObject({ services: { a: { image: images.a }, b: { image: images.b } } });
  });

  test.each(NAMES)('%s', async (name) => {
    const application = await readCase(only('services: {a: {image: x}}\n'));
    const text = textsOf(filesOf(application, { a: name }))['docker-compose.yaml']!;
    expect(foundOnDevice(text)).toEqual([name]);
    expect(parse(text)).toEqual({ services: { a: { image: name } } });
  });

  test('an image without a name of its own ships as a text', async () => {
    for (const name of ['true', '1e3', '~x', '10']) {
      const application = await readCase(only('services: {a: {image: x}}\n'));
      const text = textsOf(filesOf(application, { a: name }))['docker-compose.yaml']!;
      expect(parse(text)).toEqual({ services: { a: { image: name } } });
    }
  });
});

test('an image that is mounted is refused, unless its service does not run', async () => {
  const mount = 'volumes: [{type: image, source: "models/llm:3", target: /m}]';
  await expect(readCase(only(`services: {a: {image: x, ${mount}}}\n`))).rejects.toMatchObject({
    message: "services.a.volumes: image models/llm:3 can't be shipped",
    exitCode: 7,
  });
  const other = only(`services: {a: {image: x}, b: {image: b, profiles: [p], ${mount}}}\n`);
  expect((await readCase(other)).services).toHaveLength(1);
});

test('what only a workstation needs does not ship', async () => {
  const application = await readCase(
    only(`name: shop
services:
  web:
    image: web:1
    build: .
    pull_policy: daily
    pull_refresh_after: 1d
    develop: {watch: [{path: ./src, action: sync, target: /src, initial_sync: true}]}
    x-a: 1
    networks: [used]
networks: {used: {x-b: 1}, unused: {}}
volumes: {unused: {}}
x-c: 1
`),
  );
  expect(parse(textsOf(filesOf(application))['docker-compose.yaml']!)).toEqual({
    name: 'shop',
    services: { web: { image: 'web:1', networks: ['used'] } },
    networks: { used: {} },
  });
});

test('a config that only a credential specification uses ships', async () => {
  const text =
    'services: {web: {image: "web:1", credential_spec: {config: c}}}\nconfigs: {c: {content: x}, d: {content: y}}\n';
  const shipped = textsOf(filesOf(await readCase(only(text))))['docker-compose.yaml']!;
  expect(parse(shipped)).toMatchObject({ configs: { c: { content: 'x' } } });
  expect(shipped).not.toContain('d:');
});
