import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { bytesOf, createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { listen } from '../helpers/listen.ts';

const http = createHttp({ log: silentLog, retries: { pausesMs: [] } });
const LARGE = randomBytes(9_000_000);

/**
 * The bytes of an answer in blocks, copied before the next is asked for, up to its end or its
 * error.
 */
async function read(url: string, options: { timeoutMs?: number; signal?: AbortSignal; pause?: number } = {}) {
  const { pause, ...request } = options;
  const { blocks } = await http.request({ method: 'GET', url, ...request });
  const copies: Buffer[] = [];
  let error: unknown;
  try {
    for await (const block of blocks!()) {
      if (pause !== undefined) await sleep(pause);
      copies.push(Buffer.from(block));
    }
  } catch (thrown) {
    error = thrown;
  }
  return { bytes: Buffer.concat(copies), error };
}

const whole =
  (content: Buffer): RequestListener =>
  (_request, response) =>
    void response.end(content);

describe('blocks hold the bytes that were sent', () => {
  test.each([0, 1, 65_536, 262_144, 1_048_576, 1_048_577, 2_097_152, LARGE.length])('%i', async (size) => {
    const content = LARGE.subarray(0, size);
    const { bytes, error } = await read(await listen(whole(content)));
    expect(error).toBeUndefined();
    expect(bytes.equals(content)).toBe(true);
  });

  test('to several slow readers at once', async () => {
    const contents = [0, 1, 2].map((shift) => Buffer.from(LARGE).fill(shift, 0, 5_000_000));
    const urls = await Promise.all(contents.map((content) => listen(whole(content))));
    const answers = await Promise.all(urls.map((url) => read(url, { pause: 5, timeoutMs: 1000 })));
    expect(answers.map(({ bytes }, i) => bytes.equals(contents[i]!))).toEqual([true, true, true]);
  });

  test('to a reader that takes longer for a block than the server may be silent', async () => {
    const content = LARGE.subarray(0, 4_000_000);
    const { bytes, error } = await read(await listen(whole(content)), { pause: 400, timeoutMs: 200 });
    expect(error).toBeUndefined();
    expect(bytes.equals(content)).toBe(true);
  });

  test('and streams on connections of the same kind theirs', async () => {
    const url = await listen(whole(LARGE));
    const [{ bytes }, ...streamed] = await Promise.all([
      read(url),
      ...[1, 2].map(async () => bytesOf(await http.request({ method: 'GET', url }), LARGE.length)),
    ]);
    expect([bytes, ...streamed].map((each) => each.equals(LARGE))).toEqual([true, true, true]);
  });
});

describe('blocks end with an error', () => {
  const broken: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-length': LARGE.length });
    response.write(LARGE.subarray(0, 3_000_000), () => response.destroy());
  };
  const silent: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-length': LARGE.length });
    response.write(LARGE.subarray(0, 3_000_000));
  };

  test.each([
    ['where the connection breaks, after what had come', broken, 'the answer broke off'],
    ['where nothing more comes in time', silent, 'no byte arrived in time'],
  ])('%s', async (_name, listener, message) => {
    const { bytes, error } = await read(await listen(listener), { timeoutMs: 200 });
    expect(String(error)).toContain(message);
    expect(bytes.equals(LARGE.subarray(0, bytes.length))).toBe(true);
    expect(bytes.length).toBe(3_000_000);
  });

  test('where the signal fires: its reason', async () => {
    const controller = new AbortController();
    const reason = new RangeError('stop');
    const url = await listen((request, response) => {
      silent(request, response);
      setTimeout(() => controller.abort(reason), 50);
    });
    expect((await read(url, { signal: controller.signal })).error).toBe(reason);
  });
});

test('an answer without a length has no blocks', async () => {
  const url = await listen((_request, response) => {
    response.write('a');
    response.end('b');
  });
  const response = await http.request({ method: 'GET', url });
  expect(response.blocks).toBeUndefined();
  expect((await bytesOf(response)).toString()).toBe('ab');
});
