import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../helpers/cli.ts';
import { compiledSources } from '../../helpers/compiled.ts';
import { buildImage } from '../../helpers/images.ts';
import { Fleet } from '../../helpers/menderServer/fleet.ts';
import type { Device } from '../../helpers/menderServer/state.ts';
import type { MenderServer } from '../../helpers/menderServer/menderServer.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import type { RunningRegistry } from '../../helpers/registry.ts';
import { push, startRegistry } from '../../helpers/registry.ts';
import { judgeRollout } from './judge.ts';
import { seeded } from './seeded.ts';

const KEY = 'rootfs-image.shop.version';
const TO = '3.0';
const POST_ARTIFACT = /^POST .*\/artifacts$/;
const POST_DEPLOYMENT = /^POST .*\/deployments$/;

let folder: string;
let registry: RunningRegistry;
let program: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-rollout-'));
  registry = await startRegistry();
  const cli = join(compiledSources(folder), 'cli.js');
  program = `import { main } from ${JSON.stringify(cli)}; process.exitCode = await main(process.argv.slice(1));`;
  for (const version of [1, 2, 3]) {
    const app = Array.from({ length: 900 }, (_, n) => `line ${n * version}\n`).join('');
    await push(registry.host, 'shop/web', `${version}`, buildImage({ layers: [{ base: 'base' }, { app }] }));
    writeManifest(version);
  }
  for (const version of [1, 2]) {
    const output = ['--no-upload', '--no-delta', '-a', artifact(version)];
    const run = await runCli(['build', ...manifest(version), ...output], { HOME: folder });
    expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
  }
});

afterAll(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

const artifact = (version: number): string => join(folder, `${version}.mender`);
const manifest = (version: number): string[] => {
  const path = join(folder, `compose-${version}.yaml`);
  return [path, '--artifact-version', `${version}.0`, '--writer', 'embedded'];
};

function writeManifest(version: number): void {
  const settings = 'x-mender: {device-type: qemu, platform: linux/amd64, manifest-name: shop, module: app}';
  const services = `services: {web: {image: "${registry.host}/shop/web:${version}"}}`;
  writeFileSync(join(folder, `compose-${version}.yaml`), `${settings}\n${services}\n`);
}

interface World {
  server: MenderServer;
  fleet: Fleet;
  environment: Record<string, string>;
}

/**
 * A server with the first two versions, and devices that have one of them, none, or the new one.
 */
async function makeWorld(random: () => number, failure: number): Promise<World> {
  const versions = ['1.0', '1.0', '1.0', '2.0', '2.0', undefined, undefined, TO];
  const devices = versions.map((version, index): Device => {
    const provides: Record<string, string> = version === undefined ? {} : { [KEY]: version };
    return { id: `d${index}`, type: 'qemu', group: 'g', provides };
  });
  const server = await menderServer({ devices, pageSize: 3 });
  const where = { MENDER_PAT: server.token, MENDER_DOCKER_DELTA_MENDER_HOST: server.url };
  const environment = { HOME: mkdtempSync(join(folder, 'home-')), TMPDIR: folder, ...where };
  for (const version of [1, 2])
    expect(await runCli(['upload', artifact(version)], environment)).toMatchObject({ code: 0 });
  const chances = { failure, late: 0, vanish: 0, other: 0 };
  return { server, environment, fleet: new Fleet(server, { random, key: KEY, chances }) };
}

/** True at the moment of a run to kill it. `calls`: those of this run. */
type IsDue = (calls: readonly string[], fleet: Fleet) => boolean;

/** Runs the command line in a process of its own; returns how that ended. */
async function run({ server, fleet, environment }: World, isDue: IsDue) {
  const argv = ['rollout', ...manifest(3), '-g', 'g', '--poll-interval', '0.02s'];
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, '--', ...argv], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, ended] = [text(child.stderr), once(child, 'exit')];
  const before = server.calls.length;
  const timer = setInterval(() => {
    if (isDue(server.calls.slice(before), fleet)) child.kill('SIGKILL');
  }, 1);
  const [code, signal] = (await ended.finally(() => {
    clearInterval(timer);
  })) as [number | null, string | null];
  return { code, signal, stderr: await said };
}

const calledAgain =
  (call: RegExp, times: number): IsDue =>
  (calls) =>
    calls.filter((one) => call.test(one)).length >= times;
const never: IsDue = () => false;

/** Moves the devices on from now on until the work is done. */
async function whileFleetRuns<T>(fleet: Fleet, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {
    fleet.step();
  }, 20);
  return work().finally(() => {
    clearInterval(timer);
  });
}

const ENDED = { key: KEY, to: TO, isInTime: true, fallback: true, isStopped: false };

describe('a rollout whose process is killed', { timeout: 300_000 }, () => {
  const kills: [string, IsDue][] = [
    ['it reads the devices', calledAgain(/inventory/, 1)],
    ['it sends the first artifact', calledAgain(POST_ARTIFACT, 1)],
    ['it sends the second artifact', calledAgain(POST_ARTIFACT, 2)],
    ['it makes the first deployment', calledAgain(POST_DEPLOYMENT, 1)],
    ['it makes a second deployment', calledAgain(POST_DEPLOYMENT, 2)],
  ];

  test('at each step continues where it was', async () => {
    const world = await makeWorld(seeded(1), 0);
    const { server, fleet } = world;
    for (const [when, isDue] of kills) {
      // The server does what it was asked for after the end of the one who asked.
      server.faults.plan(POST_DEPLOYMENT, { kind: 'slow', milliseconds: 100 });
      const { signal, stderr } = await run(world, isDue);
      expect([when, signal, stderr]).toEqual([when, 'SIGKILL', expect.not.stringContaining('error')]);
    }
    server.faults.clear();
    expect(fleet.given).toEqual([]);
    const done = await whileFleetRuns(fleet, async () => {
      const killed = await run(world, (_, { given }) => given.length >= 2);
      expect(killed.signal).toBe('SIGKILL');
      return run(world, never);
    });
    expect([done.code, done.stderr]).toEqual([0, expect.not.stringContaining('error')]);
    expect(fleet.given).toHaveLength(7);
    judgeRollout({ ...world, ...ENDED, isGentle: true });
    const names = [...server.state.artifacts.values()].map(({ name }) => name).sort();
    expect(names).toEqual(['shop-1.0', 'shop-2.0', 'shop-3.0', 'shop-3.0-from-1.0', 'shop-3.0-from-2.0']);
  });

  test.each([2, 3, 4])('anywhere, with devices that fail, ends well: seed %d', async (seed) => {
    const random = seeded(seed);
    const world = await makeWorld(random, 0.3);
    const end = await whileFleetRuns(world.fleet, async () => {
      for (let kills = 0; kills < 4; kills++) {
        const at = 1 + Math.floor(random() * 45);
        const { signal } = await run(world, (calls) => calls.length >= at);
        if (signal === null) expect(kills, 'no run was killed').toBeGreaterThan(0);
      }
      return run(world, never);
    });
    expect([0, 9], end.stderr).toContain(end.code);
    judgeRollout({ ...world, ...ENDED, isGentle: false });
    const given = new Set(world.fleet.given.map(({ device }) => device));
    expect(given.size).toBe(7);
  });
});
