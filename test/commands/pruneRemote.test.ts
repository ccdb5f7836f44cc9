import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { folderStore } from '../../src/cache/shared/folderStore.ts';
import type { PrunedShelf } from '../../src/cache/shared/pruneShelf.ts';
import { SharedCache } from '../../src/cache/shared/sharedCache.ts';
import { EXIT } from '../../src/errors.ts';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { digestOf, hexOf } from '../../src/oci/digest.ts';
import { openFiles } from '../../src/registry/files/context.ts';
import { registryStore } from '../../src/registry/files/entryStore.ts';
import { runCli } from '../helpers/cli.ts';
import type { CliRun } from '../helpers/cli.ts';

import { buildImage } from '../helpers/images.ts';
import type { Fault } from '../helpers/misbehaving-registry.ts';
import { refuse, startMisbehavingRegistry } from '../helpers/misbehaving-registry.ts';
import type { RunningRegistry } from '../helpers/registry.ts';
import { push, startRegistry } from '../helpers/registry.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const DAY = 24 * 3_600_000;
const nameOf = (text: string): string => hexOf(digestOf(text));

const prune = (remote: string, ...more: string[]): Promise<CliRun> =>
  runCli(['cache', 'prune', '--remote', remote, ...more]);

/** Stores an entry that has the bytes of its name, with a date `days` ago. */
async function store(
  host: string,
  repository: string,
  name: string,
  days: number,
  tag = 'latest',
): Promise<void> {
  const http = createHttp({ log: silentLog });
  const credentials = (): Promise<undefined> => Promise.resolve(undefined);
  const files = openFiles({ http, log: silentLog, credentials }, 'pull,push');
  const path = join(temporaryFolder(), name);
  writeFileSync(path, name);
  const reference = { registry: host, repository, tag };
  await registryStore(reference, files, () => Date.now() - days * DAY).store(nameOf(name), path);
}

async function tagsOf(host: string, repository: string): Promise<string[]> {
  const answer = await fetch(`http://${host}/v2/${repository}/tags/list`);
  return ((await answer.json()) as { tags: string[] | null }).tags?.sort() ?? [];
}

describe('cache prune --remote of a registry', () => {
  let registry: RunningRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.stop());

  /** A repository with three entries of four bytes. */
  async function filled(repository: string): Promise<string> {
    for (const [name, days] of [
      ['new1', 1],
      ['mid1', 20],
      ['old1', 40],
    ] as const)
      await store(registry.host, repository, name, days);
    return `type=registry,ref=${registry.host}/${repository}`;
  }

  test.each<[string, string[], string[], number]>([
    ['by age', ['--older-than', '30d'], ['new1', 'mid1'], 1],
    ['by hours', ['--older-than', '360h'], ['new1'], 2],
    ['by size', ['--limit-size', '5B'], ['new1'], 2],
    ['by both', ['--older-than', '30d', '--limit-size', '1G'], ['new1', 'mid1'], 1],
    ['all', ['--limit-size', '0'], [], 3],
    ['nothing that is young', ['--older-than', '100d'], ['new1', 'mid1', 'old1'], 0],
    ['nothing in a dry run', ['--older-than', '30d', '--dry-run'], ['new1', 'mid1', 'old1'], 1],
  ])('deletes %s', async (what, limits, left, deleted) => {
    const repository = `cut/${what.replaceAll(' ', '-')}`;
    const place = await filled(repository);
    const { code, stdout, stderr } = await prune(place, ...limits, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const of = (entries: number) => ({ entries, bytes: 4 * entries });
    expect(JSON.parse(stdout)).toEqual({
      place: `${registry.host}/${repository}:latest`,
      dryRun: limits.includes('--dry-run'),
      ...{ found: of(3), deleted: of(deleted), remaining: of(3 - deleted), shared: of(0) },
    });
    const expected = left.map((name) => `latest-${nameOf(name)}`).sort();
    expect(await tagsOf(registry.host, repository)).toEqual(expected);
  });

  test('says what it found, deleted and left', async () => {
    const place = await filled('text');
    const dry = await prune(place, '--older-than', '30d', '--dry-run');
    expect(dry.stdout).toMatch(
      /text:latest: 3 entries, 12 B\nwould be deleted: 1 entry, 4 B\nwould remain: 2 entries, 8 B\n$/,
    );
    const done = await prune(place, '--older-than', '30d');
    expect(done.stdout).toMatch(
      /text:latest: 3 entries, 12 B\ndeleted: 1 entry, 4 B\nremaining: 2 entries, 8 B\n$/,
    );
    const again = await prune(place, '--older-than', '30d');
    expect(again.stdout).toMatch(/: 2 entries, 8 B\ndeleted: 0 entries, 0 B\nremaining: 2 entries, 8 B\n$/);
  });

  test('deletes no image, no other artifact, and no entry of another tag', async () => {
    const repository = 'mixed';
    const place = await filled(repository);
    await store(registry.host, repository, 'othr', 90, 'stable');
    const image = buildImage({ layers: [{ 'a.txt': 'a' }] });
    const decoys = ['1.0.0', `latest-${nameOf('image')}`, 'latest-short', `x-latest-${nameOf('old1')}`];
    for (const tag of decoys) await push(registry.host, repository, tag, image);
    const { code, stdout } = await prune(place, '--limit-size', '0');
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('deleted: 3 entries, 12 B\nremaining: 0 entries'),
    ]);
    const expected = [...decoys, `stable-${nameOf('othr')}`].sort();
    expect(await tagsOf(registry.host, repository)).toEqual(expected);
    for (const tag of decoys) {
      const found = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, {
        headers: { accept: image.descriptor.mediaType },
      });
      expect(found.status).toBe(200);
    }
  });

  test('leaves a manifest that another tag names as well', async () => {
    const repository = 'shared';
    const place = await filled(repository);
    const base = `http://${registry.host}/v2/${repository}/manifests`;
    const accept = 'application/vnd.oci.image.manifest.v1+json';
    const old = await fetch(`${base}/latest-${nameOf('old1')}`, { headers: { accept } });
    await fetch(`${base}/kept`, {
      method: 'PUT',
      body: await old.text(),
      headers: { 'content-type': accept },
    });
    const { code, stdout } = await prune(place, '--limit-size', '0');
    expect(code).toBe(0);
    expect(stdout).toContain('deleted: 2 entries, 8 B\nremaining: 1 entry, 4 B\nnever deleted: 1 entry, 4 B');
    expect(await tagsOf(registry.host, repository)).toEqual(['kept', `latest-${nameOf('old1')}`]);
  });

  test('counts an entry without a date as the oldest', async () => {
    const repository = 'undated';
    await store(registry.host, repository, 'new1', 0);
    const base = `http://${registry.host}/v2/${repository}/manifests`;
    const accept = 'application/vnd.oci.image.manifest.v1+json';
    const found = await fetch(`${base}/latest-${nameOf('new1')}`, { headers: { accept } });
    const undated = { ...((await found.json()) as object), annotations: undefined };
    const request = { method: 'PUT', body: JSON.stringify(undated), headers: { 'content-type': accept } };
    await fetch(`${base}/latest-${nameOf('before')}`, request);
    const { stdout } = await prune(
      `type=registry,ref=${registry.host}/${repository}`,
      '--older-than',
      '3650d',
    );
    expect(stdout).toContain('deleted: 1 entry, 4 B');
    expect(await tagsOf(registry.host, repository)).toEqual([`latest-${nameOf('new1')}`]);
  });

  test('two at the same time leave nothing, without an error', async () => {
    const place = await filled('twice');
    const runs = await Promise.all([1, 2].map(() => prune(place, '--limit-size', '0', '--json')));
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    const reports = runs.map(({ stdout }) => JSON.parse(stdout) as PrunedShelf);
    expect(reports.map(({ remaining }) => remaining.entries)).toEqual([0, 0]);
    expect(await tagsOf(registry.host, 'twice')).toEqual([]);
  });

  test('an entry that a run needed stays', async () => {
    const place = await filled('needed');
    const key = { from: digestOf('a'), to: digestOf('b'), encoder: 'x' };
    const http = createHttp({ log: silentLog });
    const files = openFiles(
      { http, log: silentLog, credentials: () => Promise.resolve(undefined) },
      'pull,push',
    );
    const reference = { registry: registry.host, repository: 'needed', tag: 'latest' };
    const delta = join(temporaryFolder(), 'delta');
    writeFileSync(delta, 'delta');
    const writeAt = async (days: number): Promise<void> => {
      const to = [registryStore(reference, files, () => Date.now() - days * DAY)];
      const { signal } = new AbortController();
      await new SharedCache({ from: [], to, log: silentLog, signal }).storeDelta(key, delta);
    };
    await writeAt(40);
    await writeAt(0);
    const { stdout } = await prune(place, '--older-than', '10d');
    expect(stdout).toMatch(/4 entries, 17 B\ndeleted: 2 entries, 8 B\nremaining: 2 entries, 9 B\n$/);
  });

  test('an entry that was deleted can be stored again', async () => {
    const place = await filled('again');
    await prune(place, '--limit-size', '0');
    await store(registry.host, 'again', 'old1', 40);
    const { stdout } = await prune(place, '--older-than', '30d');
    expect(stdout).toMatch(/: 1 entry, 4 B\ndeleted: 1 entry, 4 B\nremaining: 0 entries/);
  });

  test('says that a repository does not exist', async () => {
    const run = await prune(`type=registry,ref=${registry.host}/none`, '--older-than', '30d');
    expect([run.code, run.stdout]).toEqual([EXIT.notFound, '']);
    expect(run.stderr).toMatch(/\/none:latest: there is no such shared cache\n {2}try: check --remote/);
  });
});

test('a registry that does not delete is an error with the next step', async () => {
  const registry = await startRegistry({ deletes: false });
  onTestFinished(() => registry.stop());
  await store(registry.host, 'cache', 'old1', 40);
  const place = `type=registry,ref=${registry.host}/cache`;
  const dry = await prune(place, '--older-than', '30d', '--dry-run');
  expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('would be deleted: 1 entry')]);
  const { code, stdout, stderr } = await prune(place, '--older-than', '30d');
  expect([code, stdout]).toEqual([EXIT.denied, '']);
  expect(stderr).toMatch(/\/cache: the registry does not delete sha256:.*405/);
  expect(stderr).toMatch(/\n {2}try: .*own retention/);
});

describe('a registry that misbehaves', () => {
  const tags = (...names: string[]): Fault => ({
    match: /^GET .*\/tags\/list/,
    act: (_, response) => void response.end(JSON.stringify({ name: 'cache', tags: names })),
  });
  const text = (content: string): Fault => ({
    match: /^GET .*\/tags\/list/,
    act: (_, response) => void response.end(content),
  });
  const deletion = (status: number, code: string): Fault => ({
    match: /^DELETE /,
    act: (_, response) => refuse(response, status, code),
  });
  const OLD = `latest-${nameOf('old1')}`;

  async function pruned(faults: Fault[]): Promise<CliRun & { deletions: string[] }> {
    const registry = await startMisbehavingRegistry();
    onTestFinished(() => registry.stop());
    await store(registry.host, 'cache', 'old1', 40);
    registry.faults.push(...faults);
    const run = await prune(`type=registry,ref=${registry.host}/cache`, '--older-than', '30d');
    const deletions = registry.seen.filter(({ method }) => method === 'DELETE').map(({ url }) => url);
    return { ...run, deletions };
  }

  test('two at the same time count each entry once', async () => {
    const registry = await startMisbehavingRegistry();
    onTestFinished(() => registry.stop());
    const names = ['one1', 'two2', 'six6'];
    for (const name of names) await store(registry.host, 'cache', name, 40);
    const deleted = new Set<string>();
    const deletes: Fault = {
      match: /^DELETE /,
      act: ({ url }, response) => {
        const isThere = !deleted.has(url);
        deleted.add(url);
        if (isThere) response.writeHead(202).end();
        else refuse(response, 404, 'MANIFEST_UNKNOWN');
      },
    };
    registry.faults.push(tags(...names.map((name) => `latest-${nameOf(name)}`)), deletes);
    const place = `type=registry,ref=${registry.host}/cache`;
    const runs = await Promise.all([1, 2].map(() => prune(place, '--limit-size', '0', '--json')));
    const reports = runs.map(({ stdout }) => JSON.parse(stdout) as PrunedShelf);
    expect(reports.map(({ found, remaining }) => [found.entries, remaining.entries])).toEqual([
      [3, 0],
      [3, 0],
    ]);
    expect(reports.reduce((sum, report) => sum + report.deleted.entries, 0)).toBe(3);
  });

  test.each<[string, Fault[], number, RegExp]>([
    [
      'refuses to delete (403)',
      [tags(OLD), deletion(403, 'DENIED')],
      EXIT.denied,
      /does not delete .*retention/s,
    ],
    [
      'refuses to delete (405)',
      [tags(OLD), deletion(405, 'UNSUPPORTED')],
      EXIT.denied,
      /does not delete .*retention/s,
    ],
    [
      'refuses to delete (400)',
      [tags(OLD), deletion(400, 'UNSUPPORTED')],
      EXIT.denied,
      /does not delete .*retention/s,
    ],
    [
      'lists no tags but an object',
      [text('{"tags": {"a": 1}}')],
      EXIT.integrity,
      /tags\/list.*tags: expected a list/,
    ],
    ['lists no JSON', [text('hello')], EXIT.integrity, /tags\/list.*not valid JSON/],
    [
      'lists without an end',
      [
        {
          match: /tags\/list/,
          act: (_, response) =>
            void response.writeHead(200, { link: '<?n=1&last=a>; rel="next"' }).end('{"tags":["a"]}'),
        },
      ],
      EXIT.integrity,
      /the list does not end/,
    ],
  ])('that %s is an error', async (_, faults, code, message) => {
    const run = await pruned(faults);
    expect(run.code).toBe(code);
    expect(run.stderr).toMatch(message);
    expect(run.stdout).toBe('');
  });

  test.each<[string, Fault[], RegExp, number]>([
    [
      'has lost the manifest meanwhile',
      [tags(OLD), deletion(404, 'MANIFEST_UNKNOWN')],
      /deleted: 0 entries, 0 B\nremaining: 0/,
      1,
    ],
    [
      'lists what it does not have',
      [tags(`latest-${nameOf('none')}`, 'none')],
      /: 0 entries, 0 B\ndeleted: 0/,
      0,
    ],
    [
      'lists names that are no tags',
      [tags('../../../evil', '', 'a b', 'x'.repeat(200))],
      /: 0 entries, 0 B\ndeleted: 0/,
      0,
    ],
    [
      'lists very many names on one page',
      [text(JSON.stringify({ tags: Array.from({ length: 300_000 }, () => '') }))],
      /: 0 entries, 0 B\ndeleted: 0/,
      0,
    ],
    [
      'refuses HEAD, and has a tag of something unreadable',
      [
        tags('odd', 'older', OLD),
        { match: /^HEAD /, act: (_, response) => refuse(response, 405, 'UNSUPPORTED') },
        { match: /^GET .*manifests\/odd$/, act: (_, response) => void response.end('{"layers": 5') },
        {
          match: /^GET .*manifests\/older$/,
          act: (_, response) =>
            void response
              .writeHead(200, { 'content-type': 'application/vnd.docker.distribution.manifest.v1+json' })
              .end('{"schemaVersion": 1}'),
        },
        deletion(404, 'MANIFEST_UNKNOWN'),
      ],
      /: 1 entry, 4 B\n/,
      1,
    ],
    [
      'got the entry again meanwhile',
      [
        tags(OLD),
        {
          match: /^HEAD .*manifests/,
          act: (_, response) =>
            void response.writeHead(200, { 'docker-content-digest': digestOf('newer') }).end(),
        },
        { match: /^DELETE /, act: (_, response) => void response.writeHead(202).end() },
      ],
      /: 1 entry, 4 B\ndeleted: 0 entries, 0 B\nremaining: 1 entry, 4 B\n$/,
      1,
    ],
    ['lists null', [text('{"name":"cache","tags":null}')], /: 0 entries, 0 B\ndeleted: 0/, 0],
    ['lists a tag twice', [tags(OLD, OLD), deletion(404, 'MANIFEST_UNKNOWN')], /: 1 entry, 4 B\n/, 1],
    [
      'has a manifest that nobody can read',
      [tags(OLD), { match: /^GET .*manifests/, act: (_, response) => void response.end('{"layers": 5') }],
      /: 0 entries, 0 B\ndeleted: 0/,
      0,
    ],
    [
      'lists on two pages',
      [
        { match: /last=a/, act: (_, response) => void response.end(JSON.stringify({ tags: [OLD] })) },
        {
          match: /tags\/list/,
          act: (_, response) =>
            void response
              .writeHead(200, { link: '</v2/cache/tags/list?n=1&last=a>; rel="next"' })
              .end('{"tags":["a"]}'),
        },
        deletion(404, 'MANIFEST_UNKNOWN'),
      ],
      /: 1 entry, 4 B\n/,
      1,
    ],
  ])('that %s is no error', async (_, faults, message, deletions) => {
    const run = await pruned(faults);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toMatch(message);
    expect(run.deletions).toHaveLength(deletions);
  });
});

test.each([
  ['a run that deletes', [], 'repository:cache:pull,push,delete'],
  ['a dry run', ['--dry-run'], 'repository:cache:pull'],
])('%s asks for a token with no more rights than it needs', async (_, more, scope) => {
  const registry = await startMisbehavingRegistry();
  onTestFinished(() => registry.stop());
  const realm = { 'www-authenticate': `Bearer realm="http://${registry.host}/token",service="s"` };
  registry.faults.push(
    { match: /^GET \/token/, act: (_request, response) => void response.end('{"token":"abc-token"}') },
    {
      match: /tags\/list/,
      act: ({ headers }, response) =>
        headers.authorization === 'Bearer abc-token'
          ? void response.end('{"tags":[]}')
          : refuse(response, 401, 'UNAUTHORIZED', realm),
    },
  );
  const run = await prune(`type=registry,ref=${registry.host}/cache`, '--older-than', '30d', ...more);
  expect([run.code, run.stderr]).toEqual([0, '']);
  const asked = registry.seen.filter(({ url }) => url.startsWith('/token'));
  expect(asked.map(({ url }) => new URL(url, 'http://x').searchParams.get('scope'))).toEqual([scope]);
});

describe('cache prune --remote of a folder', () => {
  async function filled(): Promise<string> {
    const folder = temporaryFolder();
    for (const [name, days] of [
      ['new1', 1],
      ['old1', 40],
    ] as const) {
      const path = join(temporaryFolder(), name);
      writeFileSync(path, name);
      await folderStore(folder).store(nameOf(name), path);
      dated(join(folder, nameOf(name)), days);
    }
    return folder;
  }
  function dated(path: string, days: number): void {
    const seconds = (Date.now() - days * DAY) / 1000;
    utimesSync(path, seconds, seconds);
  }

  test.each<[string, string[], string[]]>([
    ['by age', ['--older-than', '30d'], ['new1']],
    ['by size', ['--limit-size', '4B'], ['new1']],
    ['all', ['--limit-size', '0'], []],
    ['nothing in a dry run', ['--limit-size', '0', '--dry-run'], ['new1', 'old1']],
  ])('deletes %s', async (_, limits, left) => {
    const folder = await filled();
    const { code } = await prune(`type=local,dest=${folder}`, ...limits);
    expect(code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(left.map(nameOf).sort());
  });

  test('touches nothing else', async () => {
    const folder = await filled();
    const outside = join(temporaryFolder(), 'outside');
    writeFileSync(outside, 'outside');
    dated(outside, 90);
    const others = ['README', nameOf('x').slice(1), nameOf('x').toUpperCase(), `${nameOf('x')}.part`];
    for (const name of others) writeFileSync(join(folder, name), 'other');
    for (const name of others) dated(join(folder, name), 90);
    mkdirSync(join(folder, nameOf('folder')));
    symlinkSync(outside, join(folder, nameOf('link')));
    const { code, stdout } = await prune(`type=local,dest=${folder}`, '--limit-size', '0');
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining(': 2 entries, 8 B\ndeleted: 2 entries, 8 B\n'),
    ]);
    expect(readdirSync(folder).sort()).toEqual([...others, nameOf('folder'), nameOf('link')].sort());
    expect(existsSync(outside)).toBe(true);
  });

  const unfinished = (text: string): string => `.tmp-4711-0123456789ab-${nameOf(text)}`;

  test.each<[string, string, number, string[], boolean]>([
    ['what a killed writer left', unfinished('a'), 2, [], false],
    ['nothing of a writer that may be at work', unfinished('a'), 0.9, [], true],
    ['nothing in a dry run', unfinished('a'), 2, ['--dry-run'], true],
    ['no other temporary file', `.tmp-4711-0123456789ab-${nameOf('a')}.mender`, 2, [], true],
    ['no file of another name', `tmp-4711-0123456789ab-${nameOf('a')}`, 2, [], true],
  ])('deletes %s', async (_, name, days, more, isLeft) => {
    const folder = await filled();
    writeFileSync(join(folder, name), 'half');
    dated(join(folder, name), days);
    const { code, stdout } = await prune(`type=local,dest=${folder}`, '--older-than', '90d', ...more);
    expect([code, stdout]).toEqual([0, expect.stringContaining(': 2 entries, 8 B\n')]);
    expect(existsSync(join(folder, name))).toBe(isLeft);
    expect(readdirSync(folder)).toHaveLength(isLeft ? 3 : 2);
  });

  test('deletes no folder and no link with the name of what a killed writer left', async () => {
    const folder = await filled();
    const outside = join(temporaryFolder(), 'outside');
    writeFileSync(outside, 'outside');
    dated(outside, 90);
    mkdirSync(join(folder, unfinished('folder')));
    dated(join(folder, unfinished('folder')), 90);
    symlinkSync(outside, join(folder, unfinished('link')));
    expect((await prune(`type=local,dest=${folder}`, '--older-than', '90d')).code).toBe(0);
    expect(readdirSync(folder)).toHaveLength(4);
    expect(existsSync(outside)).toBe(true);
  });

  test.each([
    ['that does not exist', 'none', EXIT.notFound, /none: there is no such shared cache\n.*mount the folder/],
    ['that is a file', 'file', EXIT.usage, /a part of the path is a file/],
  ])('%s', async (_, name, code, message) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const run = await prune(`type=local,dest=${join(folder, name)}`, '--older-than', '30d');
    expect([run.code, run.stdout + run.stderr]).toEqual([code, expect.stringMatching(message)]);
  });
});

describe('the options of a shared cache', () => {
  const PLACE = ['--remote', 'type=local,dest=/nonexistent/cache'];
  const INSECURE = ['--insecure-registry', 'registry.lan:5000'];
  const INVALID =
    /--remote "type=registry,ref=r:1\/X": invalid .*\n {2}try: write type=registry,ref=HOST\/REPO\[:TAG\] or type=local,dest=FOLDER\n$/;
  test.each<[string, string[], RegExp]>([
    ['no limit', ['prune', ...PLACE], /expected a limit\n {2}try: add --older-than 30d, or --limit-size 20G/],
    ['only a dry run', ['prune', ...PLACE, '--dry-run'], /expected a limit/],
    ['a percent', ['prune', ...PLACE, '--limit-percent', '5'], /--limit-percent is about the disk/],
    [
      'a number without a unit',
      ['prune', ...PLACE, '--older-than', '30'],
      /expected a duration with a unit, like 30d/,
    ],
    ['a wrong duration', ['prune', ...PLACE, '--older-than', 'd'], /--older-than "d": expected a duration/],
    [
      'a negative duration',
      ['prune', ...PLACE, '--older-than=-3d'],
      /--older-than "-3d": expected a duration/,
    ],
    ['a wrong size', ['prune', ...PLACE, '--limit-size', 'much'], /--limit-size "much": expected a size/],
    [
      'no place',
      ['prune', '--remote', 'registry', '--older-than', '30d'],
      /--remote "registry": expected type=registry,ref=HOST\/REPO\[:TAG\] or type=local,dest=FOLDER/,
    ],
    [
      'the other side',
      ['prune', '--remote', 'type=local,src=/x', '--older-than', '3d'],
      /unknown field src=[^]*dest=FOLDER/,
    ],
    [
      'an age for the cache folder',
      ['prune', '--older-than', '30d'],
      /--older-than is for a shared cache[^]*--remote/,
    ],
    ['a dry run of the cache folder', ['prune', '--dry-run'], /--dry-run is for a shared cache[^]*--remote/],
    ['a registry for the cache folder', ['prune', ...INSECURE], /cache prune: --insecure-registry is for a/],
    ['a registry for list', ['list', ...INSECURE], /cache list: --insecure-registry is for a shared cache/],
    ['a registry for verify', ['verify', ...INSECURE], /cache verify: --insecure-registry is for a shared/],
    ['an invalid name', ['prune', '--remote', 'type=registry,ref=r:1/X', '--older-than', '3d'], INVALID],
    ['a dry run of clear', ['clear', '--dry-run'], /cache clear: --dry-run is for a shared cache/],
    ['clear of a shared cache', ['clear', ...PLACE], /cache clear: --remote is for prune only/],
    ['list of a shared cache', ['list', ...PLACE], /cache list: --remote is for prune only/],
  ])('refuse %s', async (_, words, message) => {
    const { code, stdout, stderr } = await runCli(['cache', ...words, '--cache-dir', temporaryFolder()]);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toMatch(message);
  });

  test('in the environment, the insecure registries of builds do not disturb the cache folder', async () => {
    const folder = temporaryFolder();
    const environment = { MENDER_DOCKER_DELTA_INSECURE_REGISTRY: 'registry.lan:5000' };
    const run = await runCli(['cache', 'list', '--cache-dir', folder], environment);
    expect([run.code, run.stderr]).toEqual([0, '']);
  });
});
