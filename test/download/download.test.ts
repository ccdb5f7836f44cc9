import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IntegrityError, NetworkError, NotFoundError, UsageError } from '../../src/errors.ts';
import { download } from '../../src/download/download.ts';
import { fetchParts } from '../../src/download/parts.ts';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import type { Progress } from '../../src/io/progress.ts';
import type { RemoteFile } from '../../src/download/remoteFile.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { listen } from '../helpers/listen.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const PART = 100_000;
const content = randomBytes(1_050_000);
const digest: Digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
const http = createHttp({ log: silentLog, retries: { pausesMs: [] } });

type Act = (request: IncomingMessage, response: ServerResponse, serve: () => void) => void;

/** Serves `content`; `act` takes over every request. */
async function startServer(act: Act = (_request, _response, serve) => serve()) {
  const ranges: string[] = [];
  const host = await listen((request, response) => {
    ranges.push(request.headers.range ?? 'whole');
    act(request, response, () => send(request, response));
  });
  return { url: `${host}/file`, ranges };
}

function boundsOf(request: IncomingMessage): { start: number; end: number } | undefined {
  const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), end: end ? Math.min(Number(end) + 1, content.length) : content.length };
}

function send(request: IncomingMessage, response: ServerResponse): void {
  const bounds = boundsOf(request);
  const { start, end } = bounds ?? { start: 0, end: content.length };
  if (start >= content.length) return void response.writeHead(416).end();
  const range = bounds && { 'content-range': `bytes ${start}-${end - 1}/${content.length}` };
  response.writeHead(bounds ? 206 : 200, { 'content-length': end - start, ...range });
  response.end(content.subarray(start, end));
}

/** Sends so many bytes of what was asked for, then breaks the connection; `times` times. */
function cutAfter(bytes: number, times: number): Act {
  let left = times;
  return (request, response, serve) => {
    if (left-- <= 0) {
      serve();
      return;
    }
    const { start, end } = boundsOf(request) ?? { start: 0, end: content.length };
    const range = { 'content-range': `bytes ${start}-${end - 1}/${content.length}` };
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      'content-length': end - start,
      ...range,
    });
    response.write(content.subarray(start, start + bytes), () => response.destroy());
  };
}

const answer =
  (status: number, body: Buffer, headers: Record<string, string> = {}): Act =>
  (_request, response) =>
    void response.writeHead(status, { 'content-length': body.length, ...headers }).end(body);

/** For the part that begins with the third, `act`; the others are served. */
const inThirdPart =
  (act: Act): Act =>
  (request, response, serve) =>
    boundsOf(request)?.start === 2 * PART ? act(request, response, serve) : serve();

async function prepared(act?: Act, more: Partial<RemoteFile> = {}) {
  const server = await startServer(act);
  const folder = join(temporaryFolder(), 'new');
  const path = join(folder, 'file');
  const file: RemoteFile = {
    what: 'the file',
    key: 'abc',
    size: content.length,
    digest,
    parts: { size: PART, workers: 4 },
    open: async (range, signal) => {
      const headers: Record<string, string> = range === undefined ? {} : { range };
      const response = await http.request({ method: 'GET', url: server.url, headers, signal });
      if ([200, 206, 416].includes(response.status)) return response;
      response.body.destroy();
      if (response.status === 404) throw new NotFoundError('gone');
      throw new NetworkError(`the server answered ${response.status}`);
    },
    ...more,
  };
  const events: [string, number][] = [];
  const progress: Progress = {
    start: (_label, total) => {
      events.push(['start', total ?? -1]);
      return {
        advance: (bytes) => events.push(['advance', bytes]),
        end: () => events.push(['end', 0]),
      };
    },
  };
  const run = (signal?: AbortSignal, changes: Partial<RemoteFile> = {}) =>
    download({ ...file, ...changes }, path, { log: silentLog, progress, signal });
  return { ...server, file, folder, path, data: `${path}.abc.part`, run, events };
}

const oneStream = { parts: undefined };

describe('what others put in the place of an unfinished download is deleted:', () => {
  const places: Record<string, (path: string, other: string) => void> = {
    'a link': (path, other) => symlinkSync(other, path),
    'a second name of a file': (path, other) => linkSync(other, path),
    'a FIFO': (path) => execFileSync('mkfifo', [path]),
    'a folder': (path) => mkdirSync(path),
  };
  const modes = { 'in parts': {}, 'in one stream': oneStream };
  const rows = Object.keys(places).flatMap((kind) =>
    Object.keys(modes).flatMap((mode) => ['', 's'].map((end) => [kind, mode, end] as const)),
  );
  test.each(rows)('%s, %s, .part%s', async (kind, mode, end) => {
    const { run, path, folder, data } = await prepared(undefined, modes[mode as keyof typeof modes]);
    const other = join(temporaryFolder(), 'other');
    writeFileSync(other, 'of the user');
    mkdirSync(folder);
    places[kind]!(`${data}${end}`, other);
    expect(await run()).toMatchObject({ resumedFrom: 0 });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(readFileSync(other, 'utf8')).toBe('of the user');
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

describe('brings the exact bytes,', () => {
  test.each<[string, Act | undefined, Partial<RemoteFile>, number]>([
    ['in parts', undefined, {}, 11],
    ['in one stream', undefined, oneStream, 1],
    ['of unknown size', undefined, { size: undefined }, 1],
    ['of unknown digest', undefined, { digest: undefined }, 11],
    ['one part larger than the file', undefined, { parts: { size: 1 << 24, workers: 4 } }, 1],
    ['with one worker', undefined, { parts: { size: PART, workers: 1 } }, 11],
    ['from a server that cuts parts', cutAfter(30_000, 3), {}, 14],
    ['from a server that cuts the stream', cutAfter(30_000, 3), oneStream, 4],
    [
      'from a server without content-range',
      (request, response) => {
        const { start, end } = boundsOf(request)!;
        response.writeHead(206, { 'content-length': end - start }).end(content.subarray(start, end));
      },
      {},
      11,
    ],
  ])('%s', async (_name, act, more, requests) => {
    const { run, path, folder, ranges, events } = await prepared(act, more);
    expect(await run()).toEqual({ path, size: content.length, resumedFrom: 0 });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(readdirSync(folder)).toEqual(['file']);
    expect(ranges).toHaveLength(requests);
    const advanced = events.reduce((sum, [kind, bytes]) => sum + (kind === 'advance' ? bytes : 0), 0);
    expect(advanced).toBe(content.length);
    expect(events.filter(([kind]) => kind === 'end')).toHaveLength(1);
  });

  test('in one stream from a server that ignores Range', async () => {
    const whole = answer(200, content);
    const { run, path, ranges } = await prepared(whole);
    await run();
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(ranges.at(-1)).toBe('whole');
  });

  test('each part is asked for once, the last one to its end', async () => {
    const { run, ranges } = await prepared();
    await run();
    expect(ranges).toContain('bytes=200000-299999');
    expect(ranges).toContain(`bytes=1000000-${content.length - 1}`);
    expect(new Set(ranges).size).toBe(11);
  });
});

describe('refused:', () => {
  const part = content.subarray(2 * PART, 3 * PART);
  const range = { 'content-range': `bytes 200000-299999/${content.length}` };
  test.each<[string, Act, Partial<RemoteFile>, new (message: string) => Error]>([
    ['a part with status 403', answer(403, Buffer.from('<Error/>')), {}, NetworkError],
    ['a part with status 404', answer(404, Buffer.from('no')), {}, NotFoundError],
    ['a part with status 204', answer(204, Buffer.alloc(0)), {}, NetworkError],
    ['a part with status 416', answer(416, Buffer.alloc(0)), {}, IntegrityError],
    ['a part that is too short', answer(206, part.subarray(1), range), {}, IntegrityError],
    ['a part that is too long', answer(206, Buffer.concat([part, part]), range), {}, IntegrityError],
    [
      'another part than asked for',
      answer(206, part, { 'content-range': `bytes 300000-399999/${content.length}` }),
      {},
      IntegrityError,
    ],
    ['a part of another length that says not which', answer(206, part.subarray(5)), {}, IntegrityError],
    ['wrong bytes in a part', answer(206, Buffer.alloc(PART), range), {}, IntegrityError],
    ['a file of another size', (_q, _r, serve) => serve(), { size: content.length - 1 }, IntegrityError],
    [
      'a file of another digest',
      (_q, _r, serve) => serve(),
      { digest: `sha256:${'0'.repeat(64)}` },
      IntegrityError,
    ],
  ])('%s', async (_name, act, more, error) => {
    const { run, path } = await prepared(inThirdPart(act), more);
    await expect(run()).rejects.toThrow(error);
    expect(existsSync(path)).toBe(false);
  });

  test.each<[string, Act, Partial<RemoteFile>]>([
    ['a stream that is too short', answer(200, content.subarray(1)), {}],
    ['a stream that is too long', answer(200, Buffer.concat([content, content])), {}],
    ['a stream with other bytes', answer(200, Buffer.alloc(content.length)), {}],
  ])('%s', async (_name, act, more) => {
    const { run, path } = await prepared(act, { ...oneStream, ...more });
    await expect(run()).rejects.toThrow(IntegrityError);
    expect(existsSync(path)).toBe(false);
  });

  test('nothing is kept of other bytes than expected', async () => {
    const { run, folder, path } = await prepared(undefined, { digest: `sha256:${'0'.repeat(64)}` });
    await expect(run()).rejects.toThrow(/expected sha256:000.*found sha256/);
    expect(readdirSync(folder)).toEqual([]);
    await run(undefined, { digest });
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('a folder that can not be made', async () => {
    const { run, folder } = await prepared();
    writeFileSync(folder, 'a file');
    await expect(run()).rejects.toThrow(UsageError);
  });

  test.each([
    ['the disk', 1e15],
    ['any disk', Number.MAX_SAFE_INTEGER],
    ['all numbers', 1e300],
  ])('a size larger than %s, before the first request', async (_name, size) => {
    for (const parts of [oneStream, { parts: { size: PART, workers: 4 } }]) {
      const { run, ranges, folder } = await prepared(undefined, { size, ...parts });
      await expect(run()).rejects.toThrow(/the file to .*: expected \d.* bytes of free disk, found \d+/);
      expect(ranges).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  test('parts without number are not listed before the first request', async () => {
    const { file, folder, data, ranges } = await prepared((_request, response) => response.destroy());
    mkdirSync(folder);
    const files = { data, journal: `${data}s` };
    const task = { advance: () => undefined, end: () => undefined };
    const context = { log: silentLog, progress: { start: () => task }, task, there: () => undefined };
    const huge = { ...file, size: 1e15 };
    await expect(fetchParts(huge, files, { ...context, partSize: PART, workers: 2 })).rejects.toThrow(
      NetworkError,
    );
    expect(ranges.length).toBeGreaterThan(0);
  });

  test('an aborted download throws the reason', async () => {
    const stop = new AbortController();
    const { run, path } = await prepared((_request, _response, serve) => {
      stop.abort(new Error('enough'));
      serve();
    });
    await expect(run(stop.signal)).rejects.toThrow('enough');
    expect(existsSync(path)).toBe(false);
  });
});

describe('the next run', () => {
  test('asks only for the parts that are missing', async () => {
    let broken = true;
    const act: Act = (request, response, serve) =>
      broken && boundsOf(request)!.start >= 5 * PART ? void response.destroy() : serve();
    // With several at once, the failure of one could end another that is under way.
    const { run, path, data, ranges } = await prepared(act, { parts: { size: PART, workers: 1 } });
    await expect(run()).rejects.toThrow(NetworkError);
    expect(existsSync(path)).toBe(false);
    expect(existsSync(data)).toBe(true);
    const before = ranges.length;
    broken = false;
    expect(await run()).toMatchObject({ resumedFrom: 5 * PART });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(ranges.length - before).toBe(6);
  });

  test('resumes within a part', async () => {
    const act = cutAfter(30_000, 99);
    let broken = true;
    const { run, path, ranges } = await prepared((...all) => (broken ? act(...all) : all[2]()), {
      parts: { size: 1 << 24, workers: 2 },
    });
    await expect(run()).rejects.toThrow(NetworkError);
    broken = false;
    const { resumedFrom } = await run();
    expect(resumedFrom).toBeGreaterThan(0);
    expect(ranges.at(-1)).toBe(`bytes=${resumedFrom}-${content.length - 1}`);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test.each([
    ['a line that was cut short', (data: string) => appendFileSync(`${data}s`, '9 1000')],
    ['an invalid line', (data: string) => appendFileSync(`${data}s`, 'nonsense\n')],
    ['a data file that is gone', (data: string) => truncateSync(data, 0)],
  ])('survives a journal with %s', async (_name, damage) => {
    let broken = true;
    const { run, path, data } = await prepared((request, response, serve) =>
      broken && boundsOf(request)!.start >= 5 * PART ? void response.destroy() : serve(),
    );
    await expect(run()).rejects.toThrow(NetworkError);
    damage(data);
    broken = false;
    await run();
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('resumes in parts after one stream, and leaves the state of other content alone', async () => {
    const { run, path, folder, data, ranges } = await prepared();
    mkdirSync(folder);
    writeFileSync(data, content.subarray(0, 250_000));
    writeFileSync(`${path}.other.part`, 'other');
    expect(await run()).toMatchObject({ resumedFrom: 250_000 });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(ranges).toContain('bytes=250000-299999');
    expect(readdirSync(folder).sort()).toEqual(['file', 'file.other.part']);
  });

  test('begins again where kept bytes have been altered', async () => {
    const { run, path, folder, data } = await prepared();
    mkdirSync(folder);
    writeFileSync(data, Buffer.alloc(250_000));
    await expect(run()).rejects.toThrow(IntegrityError);
    expect(await run()).toMatchObject({ resumedFrom: 0 });
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('in one stream begins again after one in parts', async () => {
    let broken = true;
    const { run, path } = await prepared((request, response, serve) =>
      broken && (boundsOf(request)?.start ?? 0) >= 5 * PART ? void response.destroy() : serve(),
    );
    await expect(run()).rejects.toThrow(NetworkError);
    broken = false;
    expect(await run(undefined, oneStream)).toMatchObject({ resumedFrom: 0 });
    expect(readFileSync(path).equals(content)).toBe(true);
  });
});
