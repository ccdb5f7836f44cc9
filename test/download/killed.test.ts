import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compiledSources } from '../helpers/compiled.ts';
import { listen } from '../helpers/listen.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const MIB = 1 << 20;
const PART = MIB / 2;
const PIECE = 1 << 16;
const WORKERS = 4;
const KILLS = 3;
// Large enough that a thread of its own reads the digest.
const content = randomBytes(20 * MIB + 12_345);
const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;

interface Asked {
  start: number;
  end: number;
}

/**
 * Sends ranges piece by piece until `allowance` bytes are used up; then nothing more, until more is
 * allowed.
 */
async function startServer() {
  const state = { allowance: 0, sent: 0, asked: [] as Asked[] };
  const host = await listen((request, response) => {
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const asked = { start: Number(from), end: to === '' ? content.length : Number(to) + 1 };
    state.asked.push(asked);
    const range = `bytes ${asked.start}-${asked.end - 1}/${content.length}`;
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      'content-length': asked.end - asked.start,
      'content-range': range,
    });
    let at = asked.start;
    const send = (): void => {
      if (response.destroyed || state.sent >= state.allowance) return;
      const piece = content.subarray(at, Math.min(at + PIECE, asked.end));
      at += piece.length;
      state.sent += piece.length;
      if (at === asked.end) response.end(piece);
      else response.write(piece, send);
    };
    send();
  });
  return { state, url: `${host}/file` };
}

async function prepared(partSize: number) {
  const { state, url } = await startServer();
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  const argv = [fileURLToPath(new URL('downloadOnce.js', import.meta.url)), compiledSources(), url, path];
  const start = () =>
    spawn(process.execPath, [...argv, `${content.length}`, digest, `${partSize}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const killOnce = async (brought: () => number): Promise<void> => {
    const before = brought();
    state.allowance = state.sent + 3 * MIB;
    const killed = start();
    const ended = once(killed, 'exit');
    await expect.poll(brought, { timeout: 50_000 }).toBeGreaterThan(before);
    killed.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(existsSync(path)).toBe(false);
  };
  const finish = async (): Promise<number> => {
    state.allowance = Infinity;
    const child = start();
    const [output, ended] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(ended).toEqual([0, null]);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(readdirSync(folder)).toEqual(['file']);
    return Number(output);
  };
  return { state, data: `${path}.abc.part`, killOnce, finish };
}

/** Where the parts begin that the journal calls whole. */
function wholeParts(journal: string, partSize: number): number[] {
  const lines = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').slice(1, -1) : [];
  const whole = lines.map((line) => line.split(' ').map(Number)).filter(([, bytes]) => bytes === partSize);
  return whole.map(([part = 0]) => part * partSize);
}

test('a download in parts that is killed again and again loses parts under way only', async () => {
  const { state, data, killOnce, finish } = await prepared(PART);
  const whole = new Set<number>();
  const wholeNow = () => wholeParts(`${data}s`, PART);
  for (let kill = 0; kill < KILLS; kill++) {
    const before = state.asked.length;
    await killOnce(() => wholeNow().length);
    expect(state.asked.slice(before).filter(({ start }) => whole.has(start))).toEqual([]);
    for (const start of wholeNow()) whole.add(start);
    expect(statSync(data).size).toBeLessThanOrEqual(content.length);
  }
  expect(whole.size).toBeGreaterThanOrEqual(KILLS);
  const before = state.asked.length;
  expect(await finish()).toBe(whole.size * PART);
  expect(state.asked.slice(before).filter(({ start }) => whole.has(start))).toEqual([]);
  expect(state.sent - content.length).toBeLessThanOrEqual(KILLS * WORKERS * (PART + PIECE));
});

test('a download in one stream that is killed again and again resumes at the last byte written', async () => {
  const { state, data, killOnce, finish } = await prepared(0);
  const sizeNow = () => (existsSync(data) ? statSync(data).size : 0);
  for (let kill = 0; kill < KILLS; kill++) {
    const start = sizeNow();
    await killOnce(sizeNow);
    expect(state.asked.at(-1)).toEqual({ start, end: content.length });
  }
  const start = sizeNow();
  expect(await finish()).toBe(start);
  expect(state.asked.at(-1)).toEqual({ start, end: content.length });
});
