import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseProbe, readDeviceReport } from '../../src/device/report.ts';
import { probeScript } from '../../src/mender/onDevice/probeScript.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';
import { PROBE } from './probe.ts';

const lines = PROBE.trim().split('\n');

describe('the report of a probe', () => {
  it('says what a device has', () => {
    expect(parseProbe(PROBE, 'pi')).toMatchObject({
      machine: 'Linux aarch64',
      isRoot: true,
      deviceType: 'raspberrypi4',
      client: { name: 'mender-update', version: '5.0.1' },
      provides: { artifact_name: 'shop-1.0', 'data-docker.mender-docker-compose.shop.version': '1.0' },
      modules: { 'docker-compose': '056cb8197713b1c4' },
      docker: {
        command: 'docker',
        platform: 'linux/arm64',
        version: '28.5.2',
        api: '1.51',
        compose: '2.40.3',
      },
      store: { kind: 'containerd', place: { mount: '/', free: 3_000_000_000, noexec: false } },
      xdelta3: { lzma: false },
      scripts: { noexec: true },
      memory: { free: 200_000_000, total: 900_000_000 },
      unknown: [],
    });
  });

  it.each([
    [
      'the log of the Go client',
      `time="x" msg="Collected output (stderr)\\n${lines.join('\\n')}\\nThis was"`,
    ],
    ['the log of the C++ client', lines.map((line) => `2026-11-30 info: Script: ${line}`).join('\n')],
    ['a second report, after one that was cut off', [...lines.slice(0, 5), ...lines].join('\n')],
    ['Windows line ends', lines.join('\r\n')],
    [
      'a log whose times drop trailing zeros',
      lines
        .map((line, index) => {
          const fraction = String(index / 1000).slice(1);
          return `2026-11-30 10:00:00${fraction} +0000 UTC info: ${line}`;
        })
        .join('\n'),
    ],
    [
      'a log whose records have growing numbers',
      lines
        .map((line, index) => `record_id=${index + 8} severity=info name="Global" msg="${line}"`)
        .join('\n'),
    ],
    [
      'a log that tells the time of its first line only',
      lines.map((line, index) => (index === 0 ? `2026-11-30 10:00:00 info: ${line}` : line)).join('\n'),
    ],
  ])('is found in %s', (_, text) => {
    expect(parseProbe(text, 'x')).toEqual(parseProbe(PROBE, 'x'));
  });

  it('names the lines of newer probes, whatever comes before them', () => {
    const newer = [...lines.slice(0, 3), 'gpu: some', ...lines.slice(3)];
    const log = newer.map((line, index) => `10:00:0${index / 10} info: ${line}`).join('\n');
    for (const text of [newer.join('\n'), log]) {
      expect(parseProbe(text, 'x')).toEqual({ ...parseProbe(PROBE, 'x'), unknown: ['gpu'] });
    }
  });

  it.each([
    ['nothing', ''],
    ['something else', 'hello'],
    ['a report that was cut off', lines.slice(0, -1).join('\n')],
    ['a report of another format', PROBE.replace('probe 1', 'probe 2')],
  ])('is refused: %s', (_, text) => {
    expect(() => parseProbe(text, 'pi')).toThrow('pi: expected the report of a probe');
  });

  it.each(['store.free', 'work.free', 'memory.free', 'memory.total', 'clock'])(
    'is refused with a %s that is no number',
    (key) => {
      const wrong = PROBE.replace(new RegExp(`^${key}: .*$`, 'm'), `${key}: abc`);
      expect(() => parseProbe(wrong, 'pi')).toThrow(`pi: ${key}: expected a number, found "abc"`);
    },
  );

  it.each([
    ['', undefined],
    ['work.free: -0\n', 0],
    ['work.free: -4096\n', 0],
    ['work.free: 0\n', 0],
    ['work.free: 9000000000000\n', 9e12],
  ])('says what is free, with the line %j', (line, free) => {
    const text = PROBE.replace('work.free: 2000000000\n', line);
    expect(parseProbe(text, 'x').work!.free).toBe(free);
  });

  it.each([
    ['as text', PROBE],
    ['as JSON', JSON.stringify(parseProbe(PROBE, 'x'))],
    ['as doctor prints it', JSON.stringify({ devices: [{ device: 'pi', report: parseProbe(PROBE, 'x') }] })],
  ])('is read %s', async (_, text) => {
    const path = join(temporaryFolder(), 'report');
    writeFileSync(path, text);
    expect(await readDeviceReport(path)).toEqual(parseProbe(PROBE, 'x'));
  });

  it.each([
    ['{', 'broken JSON'],
    ['{"format":2}', 'other JSON'],
    [JSON.stringify({ ...parseProbe(PROBE, 'x'), memory: { free: -1, total: 1 } }), 'other JSON'],
    [JSON.stringify(parseProbe(PROBE, 'x')).replace('2000000000', '1e999'), 'other JSON'],
    ['{"devices":[{"report":{}},{"report":{}}]}', 'reports of 2 devices'],
  ])('is not %s', async (text, found) => {
    const path = join(temporaryFolder(), 'report');
    writeFileSync(path, text);
    await expect(readDeviceReport(path)).rejects.toThrow(found);
  });
});

describe.each([['dash'], ['busybox', 'ash']])('probe.sh in %s', (program, ...words) => {
  const run = (cwd: string) => {
    requireTool(program);
    const options = { input: probeScript(), encoding: 'utf8', cwd, stdio: 'pipe' } as const;
    return execFileSync(program, [...words, '-s'], options);
  };

  it('reports, and writes nothing', { timeout: 120_000 }, () => {
    const folder = temporaryFolder();
    const report = parseProbe(run(folder), program);
    expect(report).toMatchObject({ machine: expect.stringContaining('Linux') as string, unknown: [] });
    expect(report.memory!.total).toBeGreaterThan(report.memory!.free);
    expect(readdirSync(folder)).toEqual([]);
  });
});
