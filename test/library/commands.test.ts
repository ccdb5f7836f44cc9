import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import type { CliRun } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { startLibrary } from './standIn.ts';

const content = randomBytes(6_000_000);
const GATEWAY = 'library://acme/apps/gateway';

async function prepared() {
  const library = await startLibrary();
  const folder = temporaryFolder();
  const file = join(folder, 'app.oci.tar');
  writeFileSync(file, content);
  const environment = { LIBRARY_URL: library.url, LIBRARY_TOKEN: library.token, HOME: folder };
  const run = (...words: string[]): Promise<CliRun> => runCli(['library', ...words], environment);
  return { library, folder, file, run, output: join(folder, 'pulled') };
}

describe('library push', () => {
  test('and pull bring the exact bytes, in parts, and the token stays with the library', async () => {
    const { library, file, run, output } = await prepared();
    const pushed = await run('push', file, `${GATEWAY}:1.2,latest`);
    expect(pushed).toMatchObject({ code: 0 });
    expect(pushed.stdout).toContain('pushed as library:acme/apps/gateway:1.2,latest');
    expect(await run('pull', `${GATEWAY}:1.2`, '-o', output)).toMatchObject({ code: 0 });
    expect(readFileSync(output).equals(content)).toBe(true);
    expect(library.calls).toContain('storage GET bytes=0-5242879');
    expect(library.calls).toContain('storage GET bytes=5242880-5999999');
    expect(library.leaked).toEqual([]);
  });

  test('shows no token that ends with a line end', async () => {
    const { library, folder, file } = await prepared();
    const text = JSON.stringify({ error: { message: `the token ${library.token} is no good` } });
    library.fault = { match: /./, times: 99, act: (_, response) => void response.writeHead(400).end(text) };
    const environment = { LIBRARY_URL: library.url, LIBRARY_TOKEN: `${library.token}\n`, HOME: folder };
    const { stderr } = await runCli(['library', 'pull', GATEWAY, '-o', file], environment);
    expect(stderr).toContain('the token *** is no good');
  });

  test('sends nothing the second time', async () => {
    const { library, file, run } = await prepared();
    await run('push', file, `${GATEWAY}:1.2`);
    library.calls.length = 0;
    const again = await run('push', file, `${GATEWAY}:1.3`, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'present', tags: ['1.3'] });
    expect(library.calls.filter((call) => call.startsWith('storage'))).toEqual([]);
  });

  test('gives up an upload in parts that fails', async () => {
    const { library, folder, run } = await prepared();
    const large = join(folder, 'large');
    writeFileSync(large, Buffer.alloc((64 << 20) + 1, 'x'));
    library.fault = {
      match: /^storage PUT/,
      times: 99,
      act: (request, response) => void (request.resume(), response.writeHead(403).end('signature=geheim')),
    };
    const failed = await run('push', large, `${GATEWAY}:1`);
    expect(failed.code).toBe(4);
    expect(failed.stderr).not.toContain('geheim');
    expect(library.calls.filter((call) => call.endsWith('_multipart_abort'))).toHaveLength(1);
    expect(library.calls.filter((call) => call.endsWith('_multipart_complete'))).toHaveLength(0);
    library.fault = undefined;
    expect(await run('push', large, `${GATEWAY}:1`)).toMatchObject({ code: 0 });
    expect(library.images[0]!.uploaded).toBe(true);
  });

  test.each([
    [['push'], 2],
    [['push', 'FILE', 'library://gateway:1'], 2],
    [['push', 'FILE', 'docker.io/acme/gateway'], 2],
    [['push', 'FILE', `${GATEWAY}:UPPER`], 2],
    [['push', '/no/such/file', `${GATEWAY}:1`], 3],
    [['pull', `${GATEWAY}:none`], 3],
    [['pull', `${GATEWAY}:a,b`], 2],
    [['rm', GATEWAY], 2],
    [['rm', `${GATEWAY}:none`], 3],
    [['tag', `${GATEWAY}:none`], 2],
    [['tag', `${GATEWAY}:none`, 'x'], 3],
    [['search', 'ab'], 2],
  ])('%j ends with code %i', async (words, code) => {
    const { file, run } = await prepared();
    const ended = await run(...words.map((word) => (word === 'FILE' ? file : word)));
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining('error: ')]);
  });
});

describe('library pull', () => {
  test('resumes an earlier run', async () => {
    const { library, run, output } = await prepared();
    library.put('acme/apps/gateway', '1', content);
    library.fault = {
      match: /^storage GET/,
      times: 99,
      act: (request, response) =>
        request.headers.range === 'bytes=0-5242879'
          ? void response
              .writeHead(206, { 'content-length': 5242880, 'content-range': 'bytes 0-5242879/6000000' })
              .end(content.subarray(0, 5242880))
          : void response.writeHead(404).end(),
    };
    expect((await run('pull', `${GATEWAY}:1`, '-o', output, '--workers', '2')).code).toBe(3);
    expect(existsSync(output)).toBe(false);
    library.fault = undefined;
    library.calls.length = 0;
    const second = await run('pull', `${GATEWAY}:1`, '-o', output, '--json');
    const { resumedFrom } = JSON.parse(second.stdout) as { resumedFrom: number };
    expect(resumedFrom).toBeGreaterThan(0);
    const asked = library.calls.filter((call) => call.startsWith('storage'));
    expect(asked).toContain('storage GET bytes=5242880-5999999');
    expect(asked).not.toContain('storage GET bytes=0-5242879');
    expect(readFileSync(output).equals(content)).toBe(true);
  });

  test('takes no other bytes than the library promised', async () => {
    const { library, run, output } = await prepared();
    library.put('acme/apps/gateway', '1', content);
    library.images[0]!.bytes = Buffer.alloc(content.length);
    const failed = await run('pull', `${GATEWAY}:1`, '-o', output);
    expect([failed.code, existsSync(output)]).toEqual([6, false]);
    expect(failed.stderr).toMatch(/expected sha256:.*found sha256:/);
  });

  test('asks for a new address when the signed one has expired', async () => {
    const { library, run, output } = await prepared();
    library.put('acme/apps/gateway', '1', content);
    library.fault = {
      match: /^storage GET/,
      times: 1,
      act: (_request, response) => void response.writeHead(403).end(),
    };
    expect(await run('pull', `${GATEWAY}:1`, '-o', output, '--workers', '1')).toMatchObject({ code: 0 });
    expect(readFileSync(output).equals(content)).toBe(true);
  });

  test('shows the token of one library to no other', async () => {
    const { library, run } = await prepared();
    const other = await startLibrary();
    other.token = library.token;
    other.put('acme/apps/gateway', '1', content);
    const refused = await run('pull', `library://${other.host}/acme/apps/gateway:1`);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('LIBRARY_URL');
    expect(refused.stderr).not.toContain(library.token);
  });

  test('needs to know which library a name without host means', async () => {
    const ended = await runCli(['library', 'pull', `${GATEWAY}:1`], {});
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('set LIBRARY_URL')]);
  });

  test('a token from a file', async () => {
    const { library, folder } = await prepared();
    const path = join(folder, 'token');
    const search = () =>
      runCli(['library', 'search', 'gateway', '--library', library.url, '--token-file', path]);
    writeFileSync(path, `${library.token}\n`);
    const found = await search();
    expect(found).toMatchObject({ code: 0, stdout: 'nothing found\n' });
    writeFileSync(path, '\n');
    const empty = await search();
    expect(empty.code).toBe(2);
  });
});

describe('library', () => {
  test('tag, search and rm', async () => {
    const { library, run, output } = await prepared();
    library.put('acme/apps/gateway', '1', content);
    expect(await run('tag', `${GATEWAY}:1`, 'stable', 'v1')).toMatchObject({ code: 0 });
    expect(await run('pull', `${GATEWAY}:stable`, '-o', output)).toMatchObject({ code: 0 });
    expect((await run('search', 'gate')).stdout).toContain('acme/apps/gateway');
    expect(await run('rm', `${GATEWAY}:1`)).toMatchObject({ code: 0 });
    expect((await run('pull', `${GATEWAY}:1`, '-o', output)).code).toBe(3);
  });

  test('search, for one architecture or signed images', async () => {
    const { library, run } = await prepared();
    library.put('acme/apps/gateway', '1', content, 'arm64');
    expect((await run('search', 'gate')).stdout).toContain('arm64');
    expect((await run('search', 'gate', '--arch', 'arm64')).stdout).toContain('arm64');
    expect((await run('search', 'gate', '--arch', 'amd64')).stdout).not.toContain('arm64');
    expect((await run('search', 'gate', '--signed')).stdout).not.toContain('arm64');
  });

  test('show, tags, version and quota', async () => {
    const { library, run } = await prepared();
    library.put('acme/apps/gateway', '1', content);
    library.put('acme/apps/gateway', '2', content, 'arm64');
    const shown = await run('show', `${GATEWAY}:1`, '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: 'image-0', size: content.length });
    expect((await run('show', `${GATEWAY}:1`)).stdout).toMatch(/size +6000000/);
    expect((await run('show', `${GATEWAY}:none`)).code).toBe(3);
    const tags = await run('tags', GATEWAY, '--json');
    expect(JSON.parse(tags.stdout)).toEqual({ amd64: { '1': 'image-0' }, arm64: { '2': 'image-1' } });
    expect((await run('tags', GATEWAY, '--arch', 'arm64')).stdout).not.toContain('image-0');
    expect((await run('version')).stdout).toBe('library stand-in, API 2.0.0\n');
    expect((await run('version', 'x')).code).toBe(2);
    expect((await run('quota', 'limited')).stdout).toBe('limited: 1.50 KB used of 3.00 KB\n');
    expect((await run('quota', 'nobody')).code).toBe(3);
  });

  test('the size of parts is an option', async () => {
    const { library, run, output } = await prepared();
    library.put('acme/apps/gateway', '1', content);
    expect(await run('pull', `${GATEWAY}:1`, '-o', output, '--part-size', '4MB')).toMatchObject({ code: 0 });
    expect(library.calls).toContain('storage GET bytes=4000000-5999999');
    expect(readFileSync(output).equals(content)).toBe(true);
    for (const size of ['0', 'many']) {
      expect((await run('pull', `${GATEWAY}:1`, '-o', output, '--part-size', size)).code).toBe(2);
    }
  });
});
