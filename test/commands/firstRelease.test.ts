import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildImage } from '../helpers/images.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import { simulateDevice } from '../helpers/menderServer/device.ts';
import { noise } from '../helpers/noise.ts';
import { onTerminal } from '../helpers/pseudoTerminal.ts';
import type { Step } from '../helpers/pseudoTerminal.ts';
import { push, startRegistry } from '../helpers/registry.ts';
import type { RunningRegistry } from '../helpers/registry.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  for (const release of ['1', '2']) {
    const program = noise(200_000, 1);
    program.write(release, 100_000);
    const layers = [{ 'usr/base': noise(100_000, 2) }, { 'usr/sbin/web': program }];
    const image = buildImage({ layers, platform: { os: 'linux', architecture: 'arm64' } });
    await push(registry.host, 'shop/web', release, image);
  }
});
afterAll(() => registry.stop());

/** What `init` asks, and what a person types. Enter takes what is proposed. */
const ANSWERS: Step[] = [
  ['Name of the application [shop]', ''],
  ['Device type', 'raspberrypi4'],
  ['Platform', 'linux/arm64'],
  ['Update module', ''],
  ['CI file', ''],
];

/** What a screen shows: the last state of lines that are drawn again is of no interest here. */
function linesOf(screen: string): string[] {
  const plain = screen.replace(/\x1b\[[\d;?]*[A-Za-z]/g, '');
  return plain.split(/\r?\n/);
}

/** The command that a screen says is next. */
function nextIn(lines: readonly string[]): string {
  const at = lines.findIndex((line) => line.startsWith('next'));
  const [, command] = /(mender-docker-delta .*)/.exec(lines.slice(at).join('\n')) ?? [];
  return command ?? '';
}

it('leads from a Compose file to a deployed delta, each command by the one before', async () => {
  const server = await menderServer();
  const device = { id: 'kitchen', type: 'raspberrypi4', group: 'test', provides: {} };
  simulateDevice(server, device, { outcome: 'success' });
  const home = temporaryFolder();
  const folder = join(home, 'shop');
  mkdirSync(folder);
  const composeFile = join(folder, 'compose.yaml');
  writeFileSync(composeFile, `services:\n  web:\n    image: ${registry.host}/shop/web:1\n`);
  const environment = {
    HOME: home,
    MENDER_PAT: server.token,
    MENDER_DOCKER_DELTA_MENDER_HOST: server.url,
    MENDER_DOCKER_DELTA_POLL_INTERVAL: '0.1s',
  };
  const type = async (line: string, steps: Step[] = []): Promise<string[]> => {
    const options = { folder, environment, term: 'xterm', steps };
    const { code, screen } = await onTerminal(line, options);
    expect(code, screen).toBe(0);
    const lines = linesOf(screen);
    expect(lines.filter(({ length }) => length > 80)).toEqual([]);
    return lines;
  };

  const build = nextIn(await type('mender-docker-delta init', ANSWERS));
  expect(build).toBe('mender-docker-delta build . --no-delta --release');
  const deploy = nextIn(await type(build));
  expect(deploy).toBe('mender-docker-delta deploy shop-1.0.0 --device-group GROUP');
  const buildAgain = nextIn(await type(deploy.replace('GROUP', 'test')));
  expect(buildAgain).toBe('mender-docker-delta build . --artifact-version VERSION --device-group test');
  writeFileSync(composeFile, readFileSync(composeFile, 'utf8').replace('web:1', 'web:2'));
  const screen = (await type(buildAgain.replace('VERSION', '1.1.0'))).join('\n');
  expect(screen).toMatch(/ KB instead of about \d+ KB \(-\d\d %\), base 1\.0\.0\n/);
  expect(screen).toMatch(/\ndeployment [0-9a-f-]+: succeeded/);
  const names = [...server.state.deployments.values()].map(({ artifact_name: name }) => name);
  expect(names).toEqual(['shop-1.0.0', 'shop-1.1.0']);
}, 120_000);
