import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import type { BuiltImage } from '../helpers/images.ts';
import { project } from '../helpers/project.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { unpackArtifact } from '../pipeline/artifact.ts';
import { startLibrary } from './standIn.ts';

const base = { 'bin/tool': Buffer.from('tool '.repeat(20_000)) };
const v1 = buildImage({ layers: [base, { 'app/main.js': 'one '.repeat(9000) }] });
const v2 = buildImage({ layers: [base, { 'app/main.js': `${'one '.repeat(9000)}two` }] });

function archiveOf(image: BuiltImage): Buffer {
  const path = join(temporaryFolder(), 'archive.tar');
  writeOciArchive(path, { latest: image });
  return readFileSync(path);
}

async function prepared(image = 'library://acme/apps/gateway:${TAG}') {
  const library = await startLibrary();
  const environment = { LIBRARY_URL: library.url, LIBRARY_TOKEN: library.token };
  const made = project(temporaryFolder(), [`web: {image: "${image}"}`], environment);
  const downloads = (): string[] => library.calls.filter((call) => call.startsWith('storage'));
  return { ...made, library, downloads };
}

describe('a service whose image is in a library', () => {
  test('is built from, as a delta the next time, and not downloaded when it did not change', async () => {
    const { library, cache, artifact, build, downloads } = await prepared();
    library.put('acme/apps/gateway', '1', archiveOf(v1));
    library.put('acme/apps/gateway', '2', archiveOf(v2));
    expect(await build('1.0', '1')).toMatchObject({ code: 0 });
    expect(downloads().length).toBeGreaterThan(0);
    expect(library.leaked).toEqual([]);
    library.calls.length = 0;
    expect(await build('1.1', '1')).toMatchObject({ code: 0 });
    expect(library.calls).toEqual(['GET /v1/images/acme/apps/gateway:1']);
    expect(await build('2.0', '2')).toMatchObject({ code: 0 });
    const [first, , second] = ['1.0', '1.1', '2.0'].map((version) => unpackArtifact(artifact(version)));
    expect(JSON.stringify(second)).not.toBe(JSON.stringify(first));
    expect(readdirSync(join(cache, 'v1/library')).filter((name) => name.startsWith('.tmp'))).toEqual([]);
  });

  test('has a name that a device can load', async () => {
    const { library, artifact, build } = await prepared();
    library.put('acme/apps/gateway', '1', archiveOf(v1));
    await build('1.0', '1');
    const text = JSON.stringify(unpackArtifact(artifact('1.0')), (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    expect(text).toContain(`${library.host}/acme/apps/gateway:1`);
    expect(text).not.toContain('library:');
  });

  test('is found again when the cache has lost its layers', async () => {
    const { library, cache, build, downloads } = await prepared();
    library.put('acme/apps/gateway', '1', archiveOf(v1));
    library.put('acme/apps/gateway', '2', archiveOf(v2));
    await build('1.0', '1');
    rmSync(join(cache, 'v1/layers'), { recursive: true });
    library.calls.length = 0;
    expect(await build('2.0', '2')).toMatchObject({ code: 0 });
    expect(library.calls).toContain('GET /v1/imagefile/acme/apps/gateway:1');
    expect(downloads().length).toBeGreaterThan(0);
  });

  test('may be named with -i, with its host', async () => {
    const { library, build } = await prepared('app:1');
    library.put('acme/apps/gateway', '1', archiveOf(v1));
    const reference = `library://${library.host}/acme/apps/gateway:1`;
    expect(await build('1.0', '', '-i', `web=${reference}`)).toMatchObject({ code: 0 });
  });
});

describe('--base', () => {
  test.each<['artifact' | 'archive']>([['artifact'], ['archive']])(
    'takes an %s from a library',
    async (kind) => {
      const { library, artifact, build } = await prepared();
      library.put('acme/apps/gateway', '1', archiveOf(v1));
      library.put('acme/apps/gateway', '2', archiveOf(v2));
      expect(await build('1.0', '1')).toMatchObject({ code: 0 });
      const named = join(temporaryFolder(), 'named.tar');
      writeOciArchive(named, { [`${library.host}/acme/apps/gateway:1`]: v1 });
      library.put('acme/bases/shop', '1.0', readFileSync(kind === 'artifact' ? artifact('1.0') : named));
      const text = `${kind === 'artifact' ? '' : '1.0='}library://acme/bases/shop:1.0`;
      const built = await build('2.0', '2', '--base', text, '--json');
      expect([built.code, built.stderr]).toEqual([0, expect.any(String)]);
      expect(built.stdout).toContain('1.0');
    },
  );

  test('verify takes one as well', async () => {
    const { library, artifact, build, cli } = await prepared();
    library.put('acme/apps/gateway', '1', archiveOf(v1));
    library.put('acme/apps/gateway', '2', archiveOf(v2));
    expect(await build('1.0', '1')).toMatchObject({ code: 0 });
    expect(await build('2.0', '2')).toMatchObject({ code: 0 });
    library.put('acme/bases/shop', '1.0', readFileSync(artifact('1.0')));
    const verified = await cli('verify', artifact('2.0'), '--base', 'library://acme/bases/shop:1.0');
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('verdict:  good')]);
    const missing = await cli('verify', artifact('2.0'), '--base', 'library://acme/bases/shop:none');
    expect(missing.code).toBe(3);
  });

  test('that the library does not have', async () => {
    const { library, build } = await prepared();
    library.put('acme/apps/gateway', '1', archiveOf(v1));
    expect((await build('2.0', '1', '--base', 'library://acme/bases/shop:1.0')).code).toBe(3);
  });
});

describe('refused:', () => {
  const launcher = Buffer.from(
    '#!/usr/bin/env run-singularity\n\0SIF_MAGIC\x0001\0'.padEnd(20_000, 'x'),
    'latin1',
  );

  test('a Singularity image, before it is downloaded', async () => {
    const { library, build, downloads } = await prepared();
    library.put('acme/apps/gateway', '1', launcher);
    const ended = await build('1.0', '1');
    expect([ended.code, ended.stderr]).toEqual([7, expect.stringContaining('is a Singularity image (SIF)')]);
    expect(downloads()).toEqual(['storage GET bytes=0-63']);
  });

  test('a file that is not an image archive', async () => {
    const { library, build } = await prepared();
    library.put('acme/apps/gateway', '1', Buffer.from('no archive '.repeat(1000)));
    expect((await build('1.0', '1')).code).toBe(7);
  });

  test('a file whose bytes are not those of its hash', async () => {
    const { library, cache, artifact, build } = await prepared();
    library.put('acme/apps/gateway', '1', archiveOf(v1));
    library.images[0]!.hash = `sha256.${createHash('sha256').update('other').digest('hex')}`;
    expect((await build('1.0', '1')).code).toBe(6);
    expect([existsSync(artifact('1.0')), readdirSync(join(cache, 'v1/library'))]).toEqual([false, []]);
  });

  test.each([
    ['library://acme/apps/gateway:none', 3, 'library:acme/apps/gateway:none'],
    ['library://acme/apps/gateway:a,b', 2, 'expected one tag'],
    ['library://gateway:1:2', 2, 'invalid library reference'],
  ])('%s', async (image, code, words) => {
    const { build } = await prepared(image);
    const ended = await build('1.0', '1');
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(words)]);
  });
});
