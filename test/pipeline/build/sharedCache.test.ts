import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Solution } from '../../../src/cache/shared/solution.ts';
import { signSolution, solutionName } from '../../../src/cache/shared/solution.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { RELEASES, program } from '../../faults/shop.ts';
import { buildImage } from '../../helpers/images.ts';
import { refuse, startMisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';
import type { MisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';
import { noise } from '../../helpers/noise.ts';
import { project } from '../../helpers/project.ts';
import { startRegistry } from '../../helpers/registry.ts';
import type { RunningRegistry } from '../../helpers/registry.ts';
import type { CliRun } from '../../helpers/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-shared-'));
let images: MisbehavingRegistry;
let caches: RunningRegistry;
/** What every build must make, and the shared cache that its build filled. */
let reference: Buffer;
let filled: string;
beforeAll(async () => {
  images = await startMisbehavingRegistry();
  caches = await startRegistry();
  for (const tag of ['1', '2']) images.add('shop/web', tag, RELEASES[tag]!);
  images.add('shop/web', 'mixed', MIXED);
  for (const name of ['key', 'other']) {
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', join(folder, `${name}.pem`)]);
    const half = ['pkey', '-in', join(folder, `${name}.pem`), '-pubout', '-out', join(folder, `${name}.pub`)];
    execFileSync('openssl', half);
  }
  filled = join(folder, 'filled');
  reference = (await machine().build('--cache-to', `type=local,dest=${filled}`, ...key())).bytes;
});
afterEach(() => void images.faults.splice(0));
afterAll(async () => {
  await Promise.all([images.stop(), caches.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const OLD = RELEASES['1']!;
const NEW = RELEASES['2']!;
/** A layer that stays, one that changes a little, and noise. */
const MIXED = buildImage({
  layers: [
    { 'bin/tool': program(1, 3000), 'etc/os-release': Buffer.from('NAME=demo\n') },
    { 'app/main.js': program(2, 3000, 9) },
    { 'app/noise': noise(50_000, 7) },
  ],
});
/** The blobs of a release that the other release does not have. */
const only = (one: typeof OLD, other: typeof OLD): Digest[] =>
  one.layers
    .filter(({ diffID }) => !other.layers.some((layer) => layer.diffID === diffID))
    .map(({ descriptor }) => descriptor.digest);

const isLayer = (digest: string): boolean =>
  [...OLD.layers, ...NEW.layers].some(({ descriptor }) => descriptor.digest === digest);

interface Built extends CliRun {
  bytes: Buffer;
  /** Blobs that came from the registry of the images. */
  fetched: string[];
}

/** A runner that begins empty. `size`: what its base says of the size of each layer. */
function machine(size?: number): { build: (...flags: string[]) => Promise<Built>; deltas: () => string[] } {
  const own = mkdtempSync(join(folder, 'machine-'));
  const { build, artifact, cache } = project(own, [`web: {image: "${images.host}/shop/web:\${TAG:-1}"}`]);
  const layers = OLD.layers.map(({ diffID }) => ({ diffID, ...(size === undefined ? {} : { size }) }));
  const image = { ref: `${images.host}/shop/web:1`, hash: OLD.configDigest, layers };
  writeFileSync(join(own, 'base.json'), JSON.stringify({ version: '1.0', services: { web: { image } } }));
  const deltas = (): string[] => {
    const all = join(cache, 'v1/deltas');
    return existsSync(all)
      ? (readdirSync(all, { recursive: true }) as string[]).filter((one) => one.endsWith('.vcdiff'))
      : [];
  };
  return {
    deltas,
    build: async (...flags) => {
      const before = images.seen.length;
      const run = await build('2.0', '2', '--base', join(own, 'base.json'), ...flags);
      const fetched = images.seen
        .slice(before)
        .flatMap(({ method, url }) => (method === 'GET' ? (/blobs\/(.*)$/.exec(url) ?? []).slice(1) : []));
      const bytes = run.code === 0 ? readFileSync(artifact('2.0')) : Buffer.alloc(0);
      return { ...run, bytes, fetched };
    },
  };
}

const key = (name = 'key.pem'): string[] => ['--cache-key', join(folder, name)];
/** A new shared cache, with the flags that fill it and that use it. */
function place(kind: string): { to: string[]; from: string[]; folder: string } {
  const dir = mkdtempSync(join(folder, 'cache-'));
  const ref = `type=registry,ref=${caches.host}/caches/${dir
    .slice(-6)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, 'x')}:shop`;
  const [dest, src] = kind === 'local' ? [`type=local,dest=${dir}`, `type=local,src=${dir}`] : [ref, ref];
  return { to: ['--cache-to', dest], from: ['--cache-from', src], folder: dir };
}

describe.each(['registry', 'local'])('a shared cache, %s', (kind) => {
  test('saves an empty runner the layers, if it is signed', async () => {
    const { to, from } = place(kind);
    const first = await machine().build(...to, ...key());
    expect([first.code, first.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(first.stderr).toContain('shared cache: deltas stored: 1\n');
    expect(first.bytes.equals(reference)).toBe(true);
    const second = await machine().build(...from, ...key('key.pub'));
    expect([second.code, second.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(second.stderr).toContain('shared cache: deltas taken: 1 of 1\n');
    expect(second.bytes.equals(reference)).toBe(true);
    expect(only(OLD, NEW).length + only(NEW, OLD).length).toBe(2);
    expect(first.fetched).toEqual(expect.arrayContaining([...only(OLD, NEW), ...only(NEW, OLD)]));
    expect(second.fetched.filter(isLayer)).toEqual([]);
  });

  test('is proved again, if it is not', async () => {
    const { to, from } = place(kind);
    await machine().build(...to);
    const second = await machine().build(...from, '--log-level', 'debug');
    expect(second.bytes.equals(reference)).toBe(true);
    expect(second.stderr).toMatch(/from the cache: .*1 of 1 deltas/);
    expect(second.stderr).toContain('shared cache: deltas taken: 1 of 1\n');
    expect(second.fetched).toEqual(expect.arrayContaining(only(OLD, NEW)));
  });
});

test('a layer that is smaller without a delta ships whole from a shared cache, too', async () => {
  const flags = ['--module', 'docker-compose', '-i', `web=${images.host}/shop/web:mixed`];
  const { to, from } = place('local');
  const first = await machine().build(...to, ...key(), ...flags);
  const second = await machine().build(...from, ...key(), ...flags);
  expect([first.code, second.code]).toEqual([0, 0]);
  expect(second.bytes.equals(first.bytes)).toBe(true);
  const changed = MIXED.layers.map(({ descriptor }) => descriptor.digest);
  expect(first.fetched).toEqual(expect.arrayContaining(changed.slice(1)));
  expect(second.fetched.filter((digest) => changed.some((one) => one === digest))).toEqual([changed[2]]);
});

describe('a shared cache that does not help says so', () => {
  const nowhere = join(folder, 'nowhere');
  test.each<[string, () => string[], RegExp]>([
    [
      'the key is another',
      () => ['--cache-from', `type=local,src=${filled}`, ...key('other.pub')],
      /^no list of deltas that is signed with this key in .*filled, fetching the layers$/m,
    ],
    [
      'a public key signs nothing',
      () => [...place('local').to, ...key('key.pub')],
      /^warning: --cache-key is a public key, which signs nothing/m,
    ],
    [
      'there is no such folder',
      () => ['--cache-from', `type=local,src=${nowhere}`],
      /^warning: the shared cache .*nowhere: no such folder; continuing without it$/m,
    ],
    [
      'there is no such folder, and a key',
      () => ['--cache-from', `type=local,src=${nowhere}`, ...key('key.pub')],
      /^warning: the shared cache .*nowhere: no such folder; continuing without it$/m,
    ],
  ])('%s', async (_, flags, message) => {
    const run = await machine().build(...flags());
    expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(message)]);
    expect(run.stderr.match(new RegExp(message, 'gm'))).toHaveLength(1);
  });

  test('but the run that creates its folder is not warned', async () => {
    const dir = join(mkdtempSync(join(folder, 'cache-')), 'new');
    const flags = ['--cache-from', `type=local,src=${dir}`, '--cache-to', `type=local,dest=${dir}`];
    const run = await machine().build(...flags, ...key());
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(run.stderr).toContain('shared cache: deltas taken: 0 of 1, stored: 1\n');
  });
});

test('signed sizes win over those that the base tells', async () => {
  const run = await machine(1).build('--cache-from', `type=local,src=${filled}`, ...key('key.pub'));
  expect([run.code, run.fetched.filter(isLayer)]).toEqual([0, []]);
  expect(run.bytes.equals(reference)).toBe(true);
});

describe('a shared cache that lies', () => {
  /** Fills a local one, changes it, and builds from it. */
  async function from(change: (path: string, isDelta: boolean) => void, name: string): Promise<Built> {
    const { from: flags, folder: dir } = place('local');
    cpSync(filled, dir, { recursive: true });
    for (const entry of readdirSync(dir)) {
      const path = join(dir, entry);
      change(path, !readFileSync(path).toString('latin1').startsWith('{'));
    }
    return machine().build(...flags, ...key(name));
  }

  test.each<[string, (path: string, isDelta: boolean) => void, string, RegExp]>([
    [
      'with a wrong delta',
      (path, isDelta) => isDelta && writeFileSync(path, wrongDelta()),
      'key.pub',
      /a shared delta .* is wrong/,
    ],
    [
      'with an endless delta',
      (path, isDelta) => isDelta && writeFileSync(path, Buffer.alloc(1 << 20)),
      'key.pub',
      /expected at most \d+ bytes/,
    ],
    ['without a delta', (path, isDelta) => isDelta && rmSync(path), 'key.pub', /^(?!.*warning)/s],
    [
      'with a folder',
      (path, isDelta) => {
        if (!isDelta) return;
        rmSync(path);
        mkdirSync(path);
      },
      'key.pub',
      /expected a regular file/,
    ],
    ['signed by another', () => undefined, 'other.pub', /^(?!.*warning)/s],
    [
      'with a changed solution',
      (path, isDelta) =>
        !isDelta && writeFileSync(path, readFileSync(path, 'utf8').replace('fromSize', 'fromsize')),
      'key.pub',
      /: entry [0-9a-f]{64}: it is damaged, or not signed with the key/,
    ],
    [
      'without JSON',
      (path, isDelta) => !isDelta && writeFileSync(path, '{'),
      'key.pub',
      /expected a signed solution/,
    ],
  ])('%s costs time only', async (_, change, name, warning) => {
    const run = await from(change, name);
    expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(warning)]);
    expect(run.bytes.equals(reference)).toBe(true);
  });

  test('is mended by a run that may write', async () => {
    const { to, from: flags, folder: dir } = place('local');
    cpSync(filled, dir, { recursive: true });
    for (const name of readdirSync(dir)) writeFileSync(join(dir, name), wrongDelta());
    const first = await machine().build(...flags, ...to, ...key());
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('is wrong')]);
    expect(readdirSync(dir).sort()).toEqual(readdirSync(filled).sort());
    const second = await machine().build(...flags, ...key('key.pub'));
    expect([second.code, second.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(second.fetched.filter(isLayer)).toEqual([]);
  });

  test.each<[string, string[]]>([
    ['without a key', []],
    ['with another key', key('key.pub')],
  ])('with the key of another costs time only in a later run %s', async (_, laterKey) => {
    const { from: flags, folder: dir } = place('local');
    const { build, deltas } = machine();
    fillWrongly(dir);
    await build(...flags, ...key('other.pub'));
    expect(deltas()).toHaveLength(1);
    const later = await build('--cache-from', `type=local,src=${filled}`, ...laterKey);
    expect(later.code).toBe(0);
    expect(later.bytes.equals(reference)).toBe(true);
  });

  test('is mended by a run that only writes', async () => {
    const { to, folder: dir } = place('local');
    cpSync(filled, dir, { recursive: true });
    for (const name of readdirSync(dir)) writeFileSync(join(dir, name), 'wrong');
    const { build } = machine();
    await build();
    const run = await build(...to, ...key());
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(contentOf(dir)).toEqual(contentOf(filled));
  });

  /** Names with contents. Ed25519 signs equal text equally. */
  function contentOf(dir: string): [string, string][] {
    return readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'base64')]);
  }

  /** Lets the owner of the other key sign a wrong delta. */
  function fillWrongly(dir: string): void {
    const pem = createPrivateKey(readFileSync(join(folder, 'other.pem')));
    const wrong = wrongDelta();
    for (const name of readdirSync(filled)) {
      const text = readFileSync(join(filled, name), 'utf8');
      if (!text.startsWith('{')) {
        writeFileSync(join(dir, name), wrong);
        continue;
      }
      const { solution } = JSON.parse(text) as { solution: string };
      const right = JSON.parse(solution) as Solution;
      const deltas = right.deltas.map((one) => ({ ...one, digest: digestOf(wrong), size: wrong.length }));
      writeFileSync(join(dir, solutionName(right, pem)), signSolution({ ...right, deltas }, pem));
    }
  }

  /** A valid delta of other layers. */
  function wrongDelta(): Buffer {
    const [source, target, delta] = ['a', 'b', 'd'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(source, 'x'.repeat(1000));
    writeFileSync(target, 'y'.repeat(1000));
    execFileSync('xdelta3', ['-e', '-f', '-s', source, target, delta]);
    return readFileSync(delta);
  }
});

describe('a shared cache that fails', () => {
  test.each<[string, RegExp, RegExp]>([
    ['in every request', /./, /answered 50\d|server answered/],
    ['when it stores', /^POST|^PUT/, /answered 50\d/],
  ])('%s costs time only', async (_, match, warning) => {
    const broken = await startMisbehavingRegistry([
      { match, act: (_request, response) => refuse(response, 501, 'NOT_TODAY') },
    ]);
    try {
      const ref = `type=registry,ref=${broken.host}/caches/x`;
      const run = await machine().build('--cache-from', ref, '--cache-to', ref, ...key());
      expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(warning)]);
      expect(run.stderr.match(/continuing without it/g)!.length).toBeLessThanOrEqual(2);
      expect(run.bytes.equals(reference)).toBe(true);
    } finally {
      await broken.stop();
    }
  });

  test.each<[string, RegExp, RegExp]>([
    ['has no such repository', /^POST .*uploads/, /x: the registry has no such repository; continuing/],
    ['stores no manifest', /^PUT .*manifests/, /continuing without it/],
  ])('and %s is told of once, and asked once', async (_, match, warning) => {
    const registry = await startMisbehavingRegistry([
      { match, act: (_request, response) => refuse(response, 404, 'NAME_UNKNOWN') },
    ]);
    try {
      const ref = `type=registry,ref=${registry.host}/caches/x`;
      const run = await machine().build('--cache-to', ref, ...key());
      expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(warning)]);
      expect(run.stderr.match(/warning/g)).toHaveLength(1);
      const asked = registry.seen.filter(({ method, url }) => match.test(`${method} ${url}`));
      expect(asked).toHaveLength(1);
    } finally {
      await registry.stop();
    }
  });

  test('lets writers at once store the same', async () => {
    const { to, from } = place('registry');
    const all = await Promise.all([1, 2].map(() => machine().build(...to, ...key())));
    expect(all.map(({ code }) => code)).toEqual([0, 0]);
    expect(all.map(({ stderr }) => stderr).join()).not.toContain('warning');
    const after = await machine().build(...from, ...key('key.pub'));
    expect(after.fetched.filter(isLayer)).toEqual([]);
    expect(after.bytes.equals(reference)).toBe(true);
  });
});

test.each([
  ['none.pem', 3, /no such file/],
  ['compose.yaml', 2, /expected a key in PEM/],
])('refuses the key %s', async (name, code, message) => {
  const own = mkdtempSync(join(folder, 'bad-'));
  writeFileSync(join(own, 'compose.yaml'), 'not a key');
  const run = await machine().build('--cache-from', `type=local,src=${own}`, '--cache-key', join(own, name));
  expect([run.code, run.stderr]).toEqual([code, expect.stringMatching(message)]);
});

test.each([
  ['x25519', 'private'],
  ['x25519', 'public'],
  ['x448', 'private'],
])('refuses a key that does not sign: %s, %s', async (algorithm, half) => {
  const own = mkdtempSync(join(folder, 'bad-'));
  const [pem, pub] = [join(own, 'key.pem'), join(own, 'key.pub')];
  execFileSync('openssl', ['genpkey', '-algorithm', algorithm, '-out', pem]);
  execFileSync('openssl', ['pkey', '-in', pem, '-pubout', '-out', pub]);
  const run = await machine().build(
    ...['--cache-to', `type=local,dest=${own}`, '--cache-key', half === 'public' ? pub : pem],
  );
  expect(run.stderr).toContain(`expected an RSA, ECDSA, Ed25519 or Ed448 key, found ${algorithm}`);
  expect([run.code, run.fetched.filter(isLayer)]).toEqual([2, []]);
});

test('refuses a key without a shared cache', async () => {
  const run = await machine().build(...key());
  expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('nothing to use the key for')]);
});

test('a project does not name a shared cache', async () => {
  const own = mkdtempSync(join(folder, 'own-'));
  const { build } = project(own, [`web: {image: "${images.host}/shop/web:1"}`]);
  const file = join(own, 'shop/compose.yaml');
  const text = readFileSync(file, 'utf8').replace(
    '{device-type',
    '{cache-to: "type=local,dest=x", device-type',
  );
  writeFileSync(file, text);
  const run = await build('1.0', '1');
  expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('unknown key "cache-to"')]);
});
